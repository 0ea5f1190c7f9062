from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import ConfigurationError
from updater.registry.configuration import RegistryConfiguration, load_registries, parse_registries
from updater.registry.credential_sources import CredentialSource, SourceType, UnusableSource
from updater.registry.endpoints import Endpoint, TagSortMode

EXAMPLE = Path(__file__).parents[3] / "config" / "registries.conf"


def parse(text: str) -> RegistryConfiguration:
    return parse_registries(text, "/conf", tls_folder="/nowhere")


def entry(lines: str) -> str:
    body = "\n".join(f"  {line}" for line in lines.splitlines())
    return f"registries:\n- name: quay\n  api_url: https://quay.io\n{body}\n"


def test_every_field_reaches_the_endpoint() -> None:
    text = """
    registries:
    - name: Own
      prefix: Own.test:5000/team/
      api_url: http://own.test:5000//
      ping: yes
      insecure: on
      credentials: env:OWN
      credsexpire: 1h30m
      defaultns: base
      limit: 7
      tagsortmode: Latest-First
      default: true
    """
    assert parse(text).endpoints == (
        Endpoint(
            name="Own",
            prefix="own.test:5000/team",
            api_url="http://own.test:5000",
            default_namespace="base",
            is_default=True,
            is_insecure=True,
            credentials=CredentialSource(SourceType.ENV, "OWN"),
            credentials_expire_s=5400.0,
            requests_per_s=7,
            tag_sort_mode=TagSortMode.LATEST_FIRST,
        ),
    )


@pytest.mark.parametrize("text", ["", "{}", "registries: []", "registries:", "# nothing\n"])
def test_a_file_may_have_no_entries(text: str) -> None:
    assert parse(text) == RegistryConfiguration()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param("ratelimit: 5", "unknown key 'ratelimit'", id="unknown key"),
        pytest.param("name: again", "line 4: the key 'name' is repeated", id="repeated key"),
        pytest.param('limit: "5"', "'limit': expected a decimal number without quotes", id="quoted number"),
        pytest.param("limit: 010", "'limit': expected a decimal number", id="octal number"),
        pytest.param("limit: 1:30", "'limit': expected a decimal number", id="sexagesimal number"),
        pytest.param("insecure: maybe", "'insecure': expected true or false", id="no boolean"),
        pytest.param('insecure: "y"', "'insecure': expected true or false", id="quoted boolean"),
        pytest.param("credsexpire: 3600", "'credsexpire': invalid duration", id="bare number of nanoseconds"),
        pytest.param("credsexpire: -1h", "'credsexpire': it cannot be negative", id="negative lifetime"),
        pytest.param("tagsortmode: unsorted", "expected latest-first, latest-last or none", id="sort mode"),
        pytest.param("prefix: [a]", "'prefix': expected a single value", id="list for text"),
        pytest.param("ca_data: x", "'ca_data' cannot be used: it holds no usable certificate", id="inline CA"),
        pytest.param("ca_file: /not/there.pem", "the CA file /not/there.pem cannot be used", id="CA file missing"),
        pytest.param("defaultns: a\nping: maybe", "'ping': expected true or false", id="ping is ignored but checked"),
    ],
)
def test_a_wrong_field_is_named_with_its_entry(lines: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(entry(lines))
    assert raised.value.code == "registries_invalid"
    assert said in str(raised.value)
    assert "entry 1" in str(raised.value)
    assert str(raised.value).startswith("Could not load registry configuration from /conf: ")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("quay.io", "expected an absolute URL"),
        ("ftp://quay.io", "expected an absolute URL"),
        ("https://me:secret@quay.io", "without user"),
        ("https://quay.io/?x=1", "without user, query"),
        ("https://quay.io:port", "not a URL"),
    ],
)
def test_an_api_url_must_be_a_plain_http_url(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        parse(f"registries:\n- name: quay\n  api_url: {url}\n")
    assert "secret" not in str(raised.value)


def test_every_problem_is_reported_at_once() -> None:
    text = "registries:\n- name: a\n- api_url: https://b.test\n  limit: x\n- {}\n- text\n"
    with pytest.raises(ConfigurationError) as raised:
        parse(text)
    said = str(raised.value)
    for problem in (
        "entry 1 (a): 'api_url' is missing",
        "entry 2: 'name' is missing",
        "entry 2, line 4: 'limit'",
        "entry 3: 'name' is missing",
        "entry 3: 'api_url' is missing",
        "entry 4: line 6: expected a mapping",
    ):
        assert problem in said


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("default: true", "more than one entry has 'default: true': a, b"),
        ("limit: 1", "more than one entry has no prefix"),
    ],
    ids=["two defaults", "two without prefix"],
)
def test_entries_are_checked_against_each_other(extra: str, said: str) -> None:
    text = "registries:\n" + "".join(f"- name: {n}\n  api_url: https://{n}.test\n  {extra}\n" for n in "ab")
    with pytest.raises(ConfigurationError, match=said):
        parse(text)


def test_what_works_but_should_be_mended_is_a_warning() -> None:
    text = "registries:\n"
    for name in "ab":
        text += f"- name: {name}\n  prefix: r.test\n  api_url: https://{name}.test\n  tagsortmode: latest-last\n"
    text += "- name: c\n  api_url: https://c.test\n  credentials: ann:hunter2\n"
    loaded = parse(text)
    assert [warning.kind for warning in loaded.warnings] == [
        "registries_credentials_invalid",
        "registries_prefix_repeated",
        "registries_prefix_empty",
        "registries_sorted",
        "registries_sorted",
    ]
    assert isinstance(loaded.endpoints[2].credentials, UnusableSource)
    assert "hunter2" not in repr(loaded)


@pytest.mark.parametrize("text", ["y", "Y", "yes", "on", "true", "True"])
def test_words_of_yaml_1_1_are_booleans(text: str) -> None:
    assert parse(entry(f"insecure: {text}")).endpoints[0].is_insecure


@pytest.mark.parametrize(("text", "limit"), [("0", 0), ("-3", 0), ("1_000", 1000)])
def test_a_limit_of_zero_or_less_is_unlimited(text: str, limit: int) -> None:
    assert parse(entry(f"limit: {text}")).endpoints[0].requests_per_s == limit


def test_without_limit_the_documented_default_holds() -> None:
    assert parse(entry("prefix: quay.io")).endpoints[0].requests_per_s == 20


@pytest.mark.parametrize(
    "text",
    [
        "registries: {}",
        "[]",
        "a: b",
        "registries: [",
        "a\n---\nb\n",
        "\x00",
        "registries: *x",
    ],
)
def test_another_document_fails_as_a_whole(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse(text)
    assert raised.value.code == "registries_invalid"


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        assert isinstance(parse(text), RegistryConfiguration)


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "registries.conf").write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    with pytest.raises(ConfigurationError, match="larger than 4096 KiB"):
        load_registries(str(tmp_path / "registries.conf"))


def test_a_missing_file_means_the_built_in_registries(tmp_path: Path) -> None:
    assert load_registries("") == RegistryConfiguration()
    for path, said in ((tmp_path / "absent", "does not exist"), (tmp_path, "is a directory")):
        loaded = load_registries(str(path))
        assert loaded.endpoints == ()
        assert [warning.kind for warning in loaded.warnings] == ["registries_missing"]
        assert said in loaded.warnings[0].text


def test_a_file_that_is_no_text_fails(tmp_path: Path) -> None:
    (tmp_path / "registries.conf").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_registries(str(tmp_path / "registries.conf"))


def test_the_example_file_loads_without_warnings() -> None:
    loaded = load_registries(str(EXAMPLE))
    assert loaded.warnings == ()
    assert {endpoint.prefix for endpoint in loaded.endpoints} == {"docker.io", "gcr.io", "quay.io", "ghcr.io"}
