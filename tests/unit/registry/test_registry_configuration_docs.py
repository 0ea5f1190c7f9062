"""The operator's page: its examples load, and it leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trustme

from updater.errors import CredentialError
from updater.registry.configuration import RegistryConfiguration, parse_registries
from updater.registry.configuration_entry import _KEYS
from updater.registry.credential_sources import CredentialSource, SourceType, parse_credential_source

PAGE = (Path(__file__).parents[3] / "docs" / "registries.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
CA_FILE = "/etc/updater/ca.pem"


def load(example: str, folder: Path) -> RegistryConfiguration:
    trustme.CA().cert_pem.write_to_path(str(folder / "ca.pem"))
    text = example.replace(CA_FILE, str(folder / "ca.pem"))
    return parse_registries(text, "docs/registries.md", tls_folder=str(folder / "tls"))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_loads_without_warnings(example: str, tmp_path: Path) -> None:
    loaded = load(example, tmp_path)
    assert loaded.endpoints
    assert loaded.warnings == ()


def test_every_type_of_source_has_an_example(tmp_path: Path) -> None:
    sources = [endpoint.credentials for text in EXAMPLES for endpoint in load(text, tmp_path).endpoints]
    shown = {source.type for source in sources if isinstance(source, CredentialSource)}
    assert shown == set(SourceType)


def test_every_field_is_described() -> None:
    table = PAGE.partition("## Fields")[2].partition("##")[0]
    described = {
        name for row in re.findall(r"^\| (`[^|]*)\|", table, re.MULTILINE) for name in re.findall("`(.*?)`", row)
    }
    assert described == _KEYS


def test_the_table_of_sources_holds_sources() -> None:
    table = PAGE.partition("## Credentials")[2].partition("###")[0]
    rows = re.findall(r"^\| (`[^|]*)\|.*\| (yes|no) \|$", table, re.MULTILINE)
    for forms, is_owners in rows:
        for form in re.findall("`(.*?)`", forms):
            source = parse_credential_source(re.sub(r"<[a-z ]+>", "x", form))
            assert (is_owners == "yes") == (source.type.value in {"env", "ext", "secret", "pullsecret"})
    assert len(rows) == len(SourceType)


def test_credentials_in_place_of_a_source_are_refused() -> None:
    with pytest.raises(CredentialError):
        parse_credential_source("user:password")
