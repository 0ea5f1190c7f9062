"""Signed commits with real keys that the test makes, verified by git itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.git.bench import QUICK, Bench, BenchOptions, Make, intent_for
from tests.git.programs import need_program
from updater.errors import GitError
from updater.git.options import Admission, Committer, GitOptions, Signing, SigningMethod
from updater.model.changes import WriteOutcome
from updater.playground.git_remote import BareRepository
from updater.writeback.git_options import GitWriteOptions

MAIL = "bot@example.test"


@pytest.fixture
def gnupg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with one key, and the key's id."""
    gpg, conf = need_program("gpg", "gnupg"), need_program("gpgconf", "gnupg")
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}
    words = ["--batch", "--passphrase", "", "--quick-generate-key", f"Bot <{MAIL}>", "ed25519", "sign", "never"]
    subprocess.run([gpg, *words], env=environment, check=True, capture_output=True)
    listed = subprocess.run(
        [gpg, "--list-keys", "--with-colons"], env=environment, check=True, capture_output=True, text=True
    )
    key = next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr:"))
    yield home, key
    subprocess.run([conf, "--kill", "all"], env=environment, check=True)


@pytest.fixture(scope="module")
def gpgsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with one self-signed certificate and its key, and the certificate's fingerprint."""
    program, conf = need_program("gpgsm", "gpgsm"), need_program("gpgconf", "gnupg")
    home = tmp_path_factory.mktemp("s")
    home.chmod(0o700)
    (home / "gpgsm.conf").write_text("disable-crl-checks\nbatch\n")
    environment = {**os.environ, "GNUPGHOME": str(home)}

    def run(*words: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run([program, *words], env=environment, check=True, capture_output=True, input=stdin)
        return done.stdout

    wanted = home / "wanted"
    # A short key is found quickly; nothing but this test trusts it.
    wanted.write_text(
        f"Key-Type: RSA\nKey-Length: 1024\nKey-Usage: sign\nSerial: random\nName-DN: CN=Bot\nName-Email: {MAIL}\n"
    )
    try:
        without_phrase = ("--pinentry-mode", "loopback", "--passphrase-fd", "0")
        run("--import", stdin=run(*without_phrase, "--generate-key", str(wanted), stdin=b"\n"))
        listed = run("--list-secret-keys", "--with-colons").decode()
        key = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
        (home / "trustlist.txt").write_text(f"{key} S relax\n")
        subprocess.run([conf, "--reload", "gpg-agent"], env=environment, check=True)
        yield home, key
    finally:
        subprocess.run([conf, "--kill", "all"], env=environment, check=True)


def _bench(make_bench: Make, committer: Committer) -> Bench:
    git = GitOptions(committer=committer, admission=Admission(allows_local=True))
    return make_bench(BenchOptions(git=git, write=GitWriteOptions(backoff=QUICK)))


def _verify(remote: BareRepository, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *(part for item in remote_settings(environment) for part in ("-c", item)), "verify-commit", "main"],
        cwd=remote.folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def remote_settings(environment: dict[str, str]) -> list[str]:
    signers = environment.pop("SIGNERS", "")
    return [f"gpg.ssh.allowedSignersFile={signers}"] if signers else []


def test_an_openpgp_signature_is_good(remote: BareRepository, make_bench: Make, gnupg: tuple[Path, str]) -> None:
    home, key = gnupg
    signing = Signing(SigningMethod.OPENPGP, key, home)
    result = _bench(make_bench, Committer("Bot", MAIL, signing=signing)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    verified = _verify(remote, GNUPGHOME=str(home))
    assert verified.returncode == 0, verified.stderr
    assert "Good signature" in verified.stderr


@pytest.mark.parametrize("names_by", ["fingerprint", pytest.param("mail", marks=pytest.mark.slow)])
def test_an_x509_signature_is_good(
    remote: BareRepository, make_bench: Make, gpgsm: tuple[Path, str], names_by: str
) -> None:
    home, fingerprint = gpgsm
    signing = Signing(SigningMethod.X509, fingerprint if names_by == "fingerprint" else f"<{MAIL}>", home)
    result = _bench(make_bench, Committer("Bot", MAIL, signing=signing)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert "-----BEGIN SIGNED MESSAGE-----" in remote.git("cat-file", "commit", "main")
    verified = _verify(remote, GNUPGHOME=str(home))
    assert verified.returncode == 0, verified.stderr
    assert 'Good signature from "/CN=Bot"' in verified.stderr


def test_an_ssh_signature_is_good(remote: BareRepository, make_bench: Make, tmp_path: Path) -> None:
    keygen = need_program("ssh-keygen", "openssh-client")
    key = tmp_path / "signing_key"
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"{MAIL} {key.with_suffix('.pub').read_text()}")
    signing = Signing(SigningMethod.SSH, str(key))
    result = _bench(make_bench, Committer("Bot", MAIL, signing=signing)).write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    verified = _verify(remote, SIGNERS=str(signers))
    assert verified.returncode == 0, verified.stderr


def test_every_commit_of_a_batch_is_signed(remote: BareRepository, make_bench: Make, tmp_path: Path) -> None:
    keygen = need_program("ssh-keygen", "openssh-client")
    key, before = tmp_path / "key", remote.tip()
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    remote.commit({f"apps/{name}/values.yaml": "image:\n  tag: 1.0.0\n" for name in "ab"})
    git = GitOptions(
        committer=Committer("Bot", MAIL, signing=Signing(SigningMethod.SSH, str(key))),
        admission=Admission(allows_local=True),
    )
    write = GitWriteOptions(backoff=QUICK, commits_per_application=True)
    make_bench(BenchOptions(git=git, write=write)).write(*(intent_for(remote.url, "2.0.0", app=name) for name in "ab"))
    signers = tmp_path / "signers"
    signers.write_text(f"{MAIL} {key.with_suffix('.pub').read_text()}")
    ours = remote.git("rev-list", "--committer=Bot", f"{before}..main").split()
    assert len(ours) == 2
    remote.git("-c", f"gpg.ssh.allowedSignersFile={signers}", "verify-commit", *ours)


@pytest.mark.parametrize(
    ("method", "folder"), [(SigningMethod.OPENPGP, "gnupg"), (SigningMethod.X509, "gpgsm")], ids=["openpgp", "x509"]
)
def test_nothing_is_pushed_unsigned(
    remote: BareRepository, make_bench: Make, method: SigningMethod, folder: str, request: pytest.FixtureRequest
) -> None:
    before = remote.tip()
    home, _ = request.getfixturevalue(folder)
    signing = Signing(method, "0123456789ABCDEF0123456789ABCDEF01234567", home)
    result = _bench(make_bench, Committer(signing=signing)).write_one(intent_for(remote.url, "1.1.0"))
    assert result.error_code == "signing_failed"
    assert remote.tip() == before


@pytest.mark.parametrize(
    ("method", "program"),
    [(SigningMethod.OPENPGP, "gpg"), (SigningMethod.SSH, "ssh-keygen"), (SigningMethod.X509, "gpgsm")],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_program_that_is_not_there_is_missed_at_the_start(
    make_bench: Make, tmp_path: Path, method: SigningMethod, program: str
) -> None:
    only_git = _bin_with_git(tmp_path)
    key = tmp_path / "key"
    key.touch()
    git = GitOptions(committer=Committer(signing=Signing(method, str(key))))
    with pytest.raises(GitError) as raised:
        make_bench(BenchOptions(git=git, environment={"PATH": only_git}))
    assert (raised.value.code, raised.value.what) == ("signing_failed", f"there is no program {program}")
    make_bench(BenchOptions(git=replace(git, uses_api=True), environment={"PATH": only_git}))


@pytest.mark.parametrize("name", ["gpg.x509.program", "gpg.openpgp.program", "gpg.program"])
def test_a_program_of_the_systems_configuration_is_not_looked_for(make_bench: Make, tmp_path: Path, name: str) -> None:
    method = SigningMethod.X509 if "x509" in name else SigningMethod.OPENPGP
    only_git = _bin_with_git(tmp_path)
    subprocess.run(["git", "config", "-f", str(tmp_path / "system"), name, "gitsign"], check=True)
    git = GitOptions(committer=Committer(signing=Signing(method, "any")))
    make_bench(BenchOptions(git=git, environment={"PATH": only_git}))


def _bin_with_git(folder: Path) -> str:
    """A folder for ``PATH`` with nothing but git in it, whose system's configuration is ``system`` beside it."""
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nGIT_CONFIG_SYSTEM={folder / "system"} exec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    return str(program.parent)


@pytest.mark.parametrize("key", ["/nowhere/key", "", "-u"])
def test_a_key_that_cannot_work_is_refused_at_the_start(make_bench: Make, key: str) -> None:
    with pytest.raises(GitError) as raised:
        _bench(make_bench, Committer(signing=Signing(SigningMethod.SSH, key)))
    assert raised.value.code == "signing_failed"


def test_a_sign_off_stands_at_the_end_once(remote: BareRepository, make_bench: Make) -> None:
    bench = _bench(make_bench, Committer("Bot", MAIL, signs_off=True))
    bench.write(intent_for(remote.url, "1.1.0"))
    body = remote.git("log", "-1", "--format=%B").rstrip().splitlines()
    assert body[-2:] == ["", f"Signed-off-by: Bot <{MAIL}>"]
    assert body.count(f"Signed-off-by: Bot <{MAIL}>") == 1


def test_an_empty_name_falls_back_to_the_default(remote: BareRepository, make_bench: Make) -> None:
    _bench(make_bench, Committer("", "")).write(intent_for(remote.url, "1.1.0"))
    assert remote.git("log", "-1", "--format=%cn <%ce>").strip() == "argocd-image-updater <noreply@argoproj.io>"
