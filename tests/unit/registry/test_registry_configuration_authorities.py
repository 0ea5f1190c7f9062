"""Private authorities: inline, by file, by mounted folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from updater.errors import ConfigurationError
from updater.model.references import ImageRepository
from updater.registry.configuration import RegistryConfiguration, parse_registries
from updater.registry.configuration_authorities import MAX_CA_BYTES, UnusableAuthorities, certificates_in, load_ca_file
from updater.registry.endpoints import EndpointSource

FIRST, SECOND = (trustme.CA().cert_pem.bytes().decode() for _ in range(2))
_GARBAGE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def entry(*lines: str, host: str = "quay.io") -> str:
    return "\n".join(["registries:", "- name: quay", f"  api_url: https://{host}", "  prefix: quay.io", *lines])


def inline(text: str) -> str:
    return "  ca_data: |\n" + "".join(f"    {line}\n" for line in text.splitlines())


def parse(text: str, folder: Path) -> RegistryConfiguration:
    return parse_registries(text, "/conf", tls_folder=str(folder))


def test_certificates_are_taken_out_of_any_text_around_them() -> None:
    found = certificates_in(f"Größe: ein Kommentar\n{FIRST}\n{_GARBAGE}# more\n{SECOND}")
    assert found.split() == f"{FIRST}{SECOND}".split()


@pytest.mark.parametrize("text", ["", "not PEM", _GARBAGE, FIRST.replace("CERTIFICATE", "PRIVATE KEY")])
def test_a_text_without_certificate_is_refused(text: str) -> None:
    with pytest.raises(UnusableAuthorities, match="no usable certificate"):
        certificates_in(text)


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca").write_bytes(b"x" * (MAX_CA_BYTES + 1))
    with pytest.raises(UnusableAuthorities, match="larger"):
        load_ca_file(tmp_path / "ca")


def test_data_and_file_are_trusted_together(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text(FIRST)
    text = entry(f"  ca_file: {tmp_path}/own.pem", inline(SECOND))
    (endpoint,) = parse(text, tmp_path).endpoints
    assert endpoint.ca_data.split() == f"{SECOND}{FIRST}".split()
    assert endpoint.tls.ca_data == endpoint.ca_data


def test_one_usable_source_does_not_excuse_the_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"entry 1 \(quay\): the CA file /not/there cannot be used"):
        parse(entry("  ca_file: /not/there", inline(FIRST)), tmp_path)


def test_a_mounted_file_is_found_by_the_host_of_the_api(tmp_path: Path) -> None:
    (tmp_path / "quay.io").write_text(FIRST)
    assert parse(entry(host="quay.io:8443"), tmp_path).endpoints[0].ca_data == certificates_in(FIRST)
    assert parse(entry(host="other.io"), tmp_path).endpoints[0].ca_data == ""


def test_a_named_file_takes_the_place_of_the_mounted_one(tmp_path: Path) -> None:
    (tmp_path / "quay.io").write_text(FIRST)
    (tmp_path / "own.pem").write_text(SECOND)
    endpoint = parse(entry(f"  ca_file: {tmp_path}/own.pem"), tmp_path).endpoints[0]
    assert endpoint.ca_data == certificates_in(SECOND)


def test_insecure_does_not_look_at_authorities(tmp_path: Path) -> None:
    (tmp_path / "quay.io").write_text("broken")
    text = entry("  insecure: true", "  ca_file: /not/there", "  ca_data: broken")
    assert parse(text, tmp_path).endpoints[0].ca_data == ""


def test_a_broken_mounted_file_fails_the_entry_of_its_host_alone(tmp_path: Path) -> None:
    (tmp_path / "quay.io").write_text("broken")
    with pytest.raises(ConfigurationError, match="the mounted CA file cannot be used"):
        parse(entry(), tmp_path)
    loaded = parse(entry(host="other.io"), tmp_path)
    assert [warning.kind for warning in loaded.warnings] == ["registries_ca_unusable"]


@pytest.mark.parametrize(
    ("image", "mounted", "source"),
    [
        pytest.param(ImageRepository("own.test:5000", "app"), "own.test", EndpointSource.INFERRED, id="inferred"),
        pytest.param(ImageRepository("own.test", "app"), "Own.Test", EndpointSource.INFERRED, id="in capitals"),
        pytest.param(ImageRepository("", "nginx"), "registry-1.docker.io", EndpointSource.BUILTIN, id="built-in"),
    ],
)
def test_registries_without_entry_trust_what_is_mounted_for_them(
    tmp_path: Path, image: ImageRepository, mounted: str, source: EndpointSource
) -> None:
    (tmp_path / mounted).write_text(FIRST)
    (tmp_path / "..data").mkdir()
    (tmp_path / "folder").mkdir()
    loaded = parse("", tmp_path)
    assert loaded.warnings == ()
    table = loaded.table
    endpoint = table.locate(image).endpoint
    assert (endpoint.source, endpoint.ca_data) == (source, certificates_in(FIRST))
    assert table.locate(ImageRepository("else.test", "app")).endpoint.ca_data == ""
