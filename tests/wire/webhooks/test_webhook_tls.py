"""TLS of the webhook server: the table of ``runtime.md`` 7.1, and what is refused at the start."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from served import Served, Told, pushed

from sidecar.webhooks.self_signed import LIFETIME, make_pair
from sidecar.webhooks.tls import TlsWish, webhook_tls
from updater.clock import SystemClock
from updater.errors import ConfigurationError

pytestmark = pytest.mark.wire

Serve = Callable[..., Served]
COMMAND = {"is_polling": False, "interval_s": 0.0}
AUTHORITY = trustme.CA()
RSA_SUITE = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
ECDSA_SUITE = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with a pair for localhost."""
    issued = AUTHORITY.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "tls.crt")
    issued.private_key_pem.write_to_path(tmp_path / "tls.key")
    return tmp_path


def trusting(**limits: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    for name, version in limits.items():
        setattr(context, name, version)
    return context


def made(folder: Path, **wish: object) -> tuple[ssl.SSLContext | None, Told]:
    log = Told()
    return webhook_tls(TlsWish(folder=str(folder), **wish), SystemClock(), log), log  # type: ignore[arg-type]


def test_a_mounted_pair_is_served(pair: Path, serve: Serve) -> None:
    served = serve(webhooks={"tls_folder": str(pair)}, **COMMAND)
    assert served.send(pushed("web", "1"), tls=trusting())[0] == 200
    with pytest.raises(ssl.SSLError):
        served.send(b"", tls=trusting(maximum_version=ssl.TLSVersion.TLSv1_2))


def test_a_pair_that_may_be_used_by_older_senders(pair: Path, serve: Serve) -> None:
    served = serve(webhooks={"tls_folder": str(pair), "tls_minimum": "tls1.2", "tls_ciphers": ECDSA_SUITE}, **COMMAND)
    old = trusting(maximum_version=ssl.TLSVersion.TLSv1_2)
    assert served.send(pushed("web", "1"), tls=old)[0] == 200
    old.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    with pytest.raises(ssl.SSLError):
        served.send(b"", tls=old)


def test_a_certificate_made_for_the_process_is_valid_for_localhost(tmp_path: Path, serve: Serve) -> None:
    served = serve(webhooks={"is_plain": False}, **COMMAND)
    served.log.wait("webhook_certificate_made")
    with pytest.raises(ssl.SSLCertVerificationError):
        served.send(b"", tls=ssl.create_default_context())
    seen = ssl.get_server_certificate(("127.0.0.1", served.port))
    (tmp_path / "seen.pem").write_text(seen)
    trusting_it = ssl.create_default_context(cafile=str(tmp_path / "seen.pem"))
    assert served.send(pushed("web", "1"), tls=trusting_it)[0] == 200


@pytest.mark.parametrize(
    ("wish", "has_pair", "is_tls"),
    [
        pytest.param(None, True, True, id="not given, pair"),
        pytest.param(None, False, False, id="not given, no pair"),
        pytest.param(False, True, True, id="on, pair"),
        pytest.param(False, False, True, id="on, no pair"),
        pytest.param(True, True, False, id="off, pair"),
        pytest.param(True, False, False, id="off, no pair"),
    ],
)
def test_the_table_of_certificates(
    tmp_path: Path, pair: Path, *, wish: bool | None, has_pair: bool, is_tls: bool
) -> None:
    folder = pair if has_pair else tmp_path / "nothing"
    assert (made(folder, is_plain=wish)[0] is not None) is is_tls


def test_an_empty_file_is_no_pair(pair: Path) -> None:
    (pair / "tls.key").write_bytes(b"")
    context, log = made(pair)
    assert context is None
    (remark,) = log.of("setting_remarked")
    assert (remark["kind"], str(pair / "tls.key") in str(remark["text"])) == ("half_a_pair", True)


@pytest.mark.parametrize("wish", [{"ciphers": RSA_SUITE}, {"minimum": "1.2"}, {"maximum": "1.2"}])
def test_settings_of_tls_without_tls_are_a_warning(pair: Path, wish: dict[str, str]) -> None:
    assert [remark["kind"] for remark in made(pair, is_plain=True, **wish)[1].of("setting_remarked")] == ["no_effect"]


def test_plain_http_that_is_meant_is_no_warning(tmp_path: Path, pair: Path) -> None:
    assert made(pair, is_plain=True)[1].of("setting_remarked") == []
    assert made(tmp_path / "nothing")[1].of("setting_remarked") == []


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        pytest.param({"minimum": "1.3", "maximum": "1.2"}, "lowest version 1.3 is above the highest", id="order"),
        pytest.param({"minimum": "1.4"}, "'1.4' is not a version of TLS", id="version"),
        pytest.param({"minimum": "1.2", "ciphers": "TLS_RSA_WITH_RC4_128_SHA"}, "unknown or insecure", id="insecure"),
        pytest.param({"minimum": "1.2", "ciphers": "AES256-SHA"}, "unknown or insecure", id="another spelling"),
        pytest.param({"minimum": "1.1", "ciphers": RSA_SUITE}, "cannot be used with the lowest version", id="too new"),
        pytest.param(
            {"minimum": "1.2", "ciphers": f"{RSA_SUITE}:TLS_AES_128_GCM_SHA256"}, "cannot be used", id="of TLS 1.3"
        ),
    ],
)
def test_what_cannot_be_had_is_refused(pair: Path, wish: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text) as caught:
        made(pair, **wish)
    assert caught.value.code == "tls_invalid"


def test_suites_without_effect_are_a_warning(pair: Path) -> None:
    _, log = made(pair, ciphers=RSA_SUITE)
    assert log.of("setting_remarked")[0]["kind"] == "no_effect"


@pytest.mark.parametrize(
    ("minimum", "maximum", "expected"),
    [
        ("", "", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED)),
        ("", "1.1", (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1)),
        ("TLS1.2", "tls1.3", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_an_empty_version_is_the_librarys(
    pair: Path, minimum: str, maximum: str, expected: tuple[ssl.TLSVersion, ssl.TLSVersion]
) -> None:
    context, _ = made(pair, minimum=minimum, maximum=maximum)
    assert context is not None
    assert (context.minimum_version, context.maximum_version) == expected


def test_a_pair_out_of_its_time_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    for made_at, text in (
        (now - LIFETIME - timedelta(days=1), "has expired"),
        (now + timedelta(days=1), "not valid before"),
    ):
        for name, content in zip(("tls.crt", "tls.key"), make_pair(made_at), strict=True):
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigurationError, match=text):
            made(tmp_path)


class MovedClock(SystemClock):
    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


def issue(folder: Path, authority: trustme.CA) -> None:
    issued = authority.issue_cert("localhost")
    issued.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    issued.private_key_pem.write_to_path(folder / "tls.key")


def shake_hands(server: ssl.SSLContext, authority: trustme.CA, name: str | None = "localhost") -> None:
    """One handshake in memory; raises ``ssl.SSLError`` when the client does not trust what it is shown."""
    client = ssl.create_default_context()
    client.check_hostname = name is not None
    authority.configure_trust(client)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=name)
    theirs = server.wrap_bio(there, back, server_side=True)
    left = [ours, theirs]
    while left:
        for side in tuple(left):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            left.remove(side)


@pytest.mark.parametrize("name", ["localhost", None])
def test_a_pair_that_is_renewed_is_served_without_a_restart(tmp_path: Path, name: str | None) -> None:
    old, new, clock, log = trustme.CA(), trustme.CA(), MovedClock(), Told()
    issue(tmp_path, old)
    context = webhook_tls(TlsWish(folder=str(tmp_path)), clock, log)
    assert context is not None
    shake_hands(context, old, name)
    issue(tmp_path, new)
    shake_hands(context, old, name)
    clock.ahead_s += 10
    shake_hands(context, new, name)
    assert log.of("webhook_certificate_renewed") == [{"file": str(tmp_path / "tls.crt")}]


def test_a_renewal_that_cannot_be_used_keeps_what_was_good(tmp_path: Path) -> None:
    good, clock, log = trustme.CA(), MovedClock(), Told()
    issue(tmp_path, good)
    context = webhook_tls(TlsWish(folder=str(tmp_path)), clock, log)
    assert context is not None
    key = (tmp_path / "tls.key").read_bytes()
    for content in (b"half", None):
        (tmp_path / "tls.key").unlink() if content is None else (tmp_path / "tls.key").write_bytes(content)
        clock.ahead_s += 10
        shake_hands(context, good)
    assert [fields["code"] for fields in log.of("webhook_certificate_refused")] == ["tls_invalid"]
    (tmp_path / "tls.key").write_bytes(key)
    clock.ahead_s += 10
    shake_hands(context, good)
    assert len(log.of("webhook_certificate_renewed")) == 1


def test_a_key_of_another_certificate_is_refused(pair: Path) -> None:
    (pair / "tls.key").write_bytes(make_pair(datetime.now(UTC))[1])
    with pytest.raises(ConfigurationError, match="cannot be used"):
        made(pair)
    (pair / "tls.crt").write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match="cannot be read as a certificate"):
        made(pair)
