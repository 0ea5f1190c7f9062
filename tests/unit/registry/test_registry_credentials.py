from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.clock import Deadline, SystemClock
from updater.errors import CredentialError
from updater.registry.credential_sources import CredentialSource, SourceType, UnusableSource, parse_credential_source
from updater.registry.credentials import (
    CredentialIds,
    CredentialKind,
    CredentialNeed,
    CredentialReader,
    Credentials,
    parse_user_and_password,
)
from updater.transport.redaction import Secret

SOON = Deadline.after(SystemClock(), 60.0)


@pytest.mark.parametrize(
    ("text", "source_type", "value"),
    [
        pytest.param("env:HUB", SourceType.ENV, "HUB", id="variable"),
        pytest.param("  ENV:HUB\n", SourceType.ENV, "HUB", id="type in capitals, blanks around"),
        pytest.param("reg.test=env:HUB", SourceType.ENV, "HUB", id="registry name is ignored"),
        pytest.param("secret:ns/name#field", SourceType.SECRET, "ns/name#field", id="secret"),
        pytest.param("pullsecret:ns/name", SourceType.PULL_SECRET, "ns/name", id="pull secret"),
        pytest.param("ext:/bin/a=b:c", SourceType.EXT, "/bin/a=b:c", id="path with = and :"),
        pytest.param("r=ext:/bin/x", SourceType.EXT, "/bin/x", id="registry name before a path"),
        pytest.param("file:/etc/docker/config.json", SourceType.FILE, "/etc/docker/config.json", id="file"),
        pytest.param("ecr:eu-west-1", SourceType.ECR, "eu-west-1", id="ecr region"),
        pytest.param("gar:default", SourceType.GAR, "default", id="gar default"),
    ],
)
def test_a_source_names_a_type_and_a_place(text: str, source_type: SourceType, value: str) -> None:
    assert parse_credential_source(text) == CredentialSource(source_type, value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("ann:hunter2", id="the credentials themselves"),
        pytest.param("env:", id="no variable"),
        pytest.param("env:a:b", id="colon in a variable"),
        pytest.param("secret:ns/name", id="no field"),
        pytest.param("secret:ns/name#f#g", id="two fields"),
        pytest.param("pullsecret:name", id="no namespace"),
        pytest.param("ext:bin/hunter2", id="relative path"),
        pytest.param("=hunter2", id="nothing before ="),
    ],
)
def test_a_source_that_does_not_parse_is_not_repeated(text: str) -> None:
    with pytest.raises(CredentialError) as raised:
        parse_credential_source(text)
    assert raised.value.code == "credentials_invalid"
    assert "hunter2" not in str(raised.value)


@given(st.text())
def test_every_source_is_rendered_as_it_parses(text: str) -> None:
    try:
        source = parse_credential_source(text)
    except CredentialError:
        return
    assert parse_credential_source(str(source)) == source


def test_a_variable_holds_user_and_password() -> None:
    reader = CredentialReader({"HUB": "ann:pass:word"})
    assert reader.read(CredentialNeed(CredentialSource(SourceType.ENV, "HUB")), SOON) == Credentials(
        "ann", Secret("pass:word")
    )
    assert reader.read(CredentialNeed(None), SOON) is None


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        pytest.param({}, "credentials_env_unset", id="unset"),
        pytest.param({"HUB": ""}, "credentials_env_unset", id="empty"),
        pytest.param({"HUB": "hunter2"}, "credentials_malformed", id="no colon"),
        pytest.param({"HUB": ":hunter2"}, "credentials_malformed", id="no user"),
        pytest.param({"HUB": "ann:"}, "credentials_malformed", id="no password"),
    ],
)
def test_a_variable_without_a_pair_fails(environment: dict[str, str], code: str) -> None:
    with pytest.raises(CredentialError) as raised:
        CredentialReader(environment).read(CredentialNeed(CredentialSource(SourceType.ENV, "HUB")), SOON)
    assert raised.value.code == code
    assert "env:HUB" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("source_type", [t for t in SourceType if t is not SourceType.ENV], ids=lambda t: t.value)
def test_a_type_that_is_not_read_yet_says_so(source_type: SourceType) -> None:
    with pytest.raises(CredentialError, match=f"'{source_type.value}' are not available") as raised:
        CredentialReader({}).read(CredentialNeed(CredentialSource(source_type, "x")), SOON)
    assert raised.value.code == "credentials_type_unavailable"


def test_an_unusable_source_fails_when_it_is_used() -> None:
    with pytest.raises(CredentialError, match="entry 3"):
        CredentialReader({}).read(CredentialNeed(UnusableSource("entry 3: wrong")), SOON)


def test_basic_authorization_is_utf_8() -> None:
    header = parse_user_and_password("\u00e4nn:p\u00e4ss", where="x").basic_authorization()
    assert base64.b64decode(header.removeprefix("Basic ")).decode("utf-8") == "\u00e4nn:p\u00e4ss"


def test_a_password_stays_out_of_the_repr() -> None:
    assert "hunter2" not in repr(Credentials("ann", Secret("hunter2")))


def test_ids_tell_credentials_apart_without_holding_them() -> None:
    ids = CredentialIds()
    ann, bob = Credentials("ann", Secret("pw")), Credentials("bob", Secret("pw"))
    assert ids.id_of(ann) == ids.id_of(Credentials("ann", Secret("pw")))
    token = Credentials("ann", Secret("pw"), CredentialKind.IDENTITY_TOKEN)
    found = {ids.id_of(ann), ids.id_of(bob), ids.id_of(token), ids.id_of(None), CredentialIds().id_of(ann)}
    assert len(found) == 5
