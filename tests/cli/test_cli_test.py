"""``test`` as a process against the playground's registry: what it says, where, and how it ends."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pty
import re
import signal
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.program import program_command
from updater.playground.registry import PlaygroundRegistry

pytestmark = [pytest.mark.wire, pytest.mark.e2e]

REFERENCE = Path(__file__).parents[2] / "docs" / "reference-output.md"
APP = "reg.test/team/app"
TAGS = {
    "1.0.0": "2026-01-01T00:00:00Z",
    "1.1.0": "2026-01-02T00:00:00Z",
    "1.2.0": "2026-01-03T00:00:00Z",
    "2.0.0": "2026-01-04T00:00:00Z",
    "3.0.0-rc.1": "2026-01-05T00:00:00Z",
    "latest": "2026-01-06T00:00:00Z",
    "main-4f1d2c7": "2026-01-07T00:00:00Z",
}

ON_LINUX = ("--platforms", "linux/amd64")


@dataclass(frozen=True)
class Record:
    level: str
    message: str
    line: str


@dataclass(frozen=True)
class Done:
    """What one ``test`` came to."""

    status: int
    out: str
    err: str

    @property
    def records(self) -> list[Record]:
        lines = [line for line in (self.out + self.err).splitlines() if line.startswith("time=")]
        found = [re.match(r'time="[^"]*" level=(\w+) msg=("(?:[^"\\]|\\.)*"|\S+)', line) for line in lines]
        return [Record(m[1], m[2].strip('"'), line) for m, line in zip(found, lines, strict=True) if m]

    @property
    def said(self) -> list[str]:
        return [record.message for record in self.records if record.level == "info"]

    @property
    def warned(self) -> list[str]:
        return [record.message for record in self.records if record.level == "warning"]

    @property
    def failure(self) -> str:
        """The one fatal record of a failure."""
        assert self.status == 1
        assert "\n".join(self.err.splitlines()[1:]) == "", "one record, nothing else"
        (record,) = [record for record in self.records if record.level == "fatal"]
        assert "traceback" not in record.line
        return record.line

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


@dataclass(frozen=True)
class Program:
    """Runs ``test`` with one registries file."""

    registries: Path

    def __call__(self, *words: str, **environment: str) -> Done:
        done = self.bare("--registries-conf-path", str(self.registries), *words, **environment)
        return Done(done.returncode, done.stdout, done.stderr)

    def bare(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program_command(), "test", *words],
            env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", **environment},
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*program_command(), "test", "--registries-conf-path", str(self.registries), *words],
            env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def watched(self, *words: str) -> str:
        """What a person sees on a terminal that shows both streams."""
        screen, inside = pty.openpty()
        words = ("--registries-conf-path", str(self.registries), *words)
        process = subprocess.Popen(
            [*program_command(), "test", *words],
            env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*", "TERM": "xterm", "COLUMNS": "160"},
            stdout=inside,
            stderr=inside,
        )
        os.close(inside)
        seen = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
            while chunk := os.read(screen, 65_536):
                seen += chunk
        os.close(screen)
        assert process.wait(timeout=40) == 0
        return seen.decode()

    def describe(self, registry: PlaygroundRegistry, *lines: str) -> None:
        """Write the registries file: the entry of ``registry``, with these lines more."""
        entry = [f"- name: playground\n  prefix: reg.test\n  api_url: {registry.address}", *(f"  {x}" for x in lines)]
        self.registries.write_text("\n".join(["registries:", *entry, ""]), encoding="utf-8")


@pytest.fixture
def registry() -> Iterator[PlaygroundRegistry]:
    with PlaygroundRegistry() as running:
        for tag, created in TAGS.items():
            running.push("team/app", tag, created=created)
        yield running


@pytest.fixture
def program(registry: PlaygroundRegistry, tmp_path: Path) -> Program:
    made = Program(tmp_path / "registries.conf")
    made.describe(registry)
    return made


def test_a_pipe_gets_the_records_alone_in_their_order(program: Program) -> None:
    done = program(f"web={APP}:1.0.0", "--disable-kubernetes", "--disable-kubernetes-events")
    assert (done.status, done.err) == (0, "")
    assert done.said == [
        "retrieving information about image",
        "Fetching available tags and metadata from registry",
        "Found 7 tags in registry",
        f"latest image according to constraint is {APP}:2.0.0",
    ]
    for record in done.records:
        assert f"image_alias=web image_digest= image_name={APP} image_tag=1.0.0" in record.line
        assert "registry_url=reg.test" in record.line
    assert " application=test " in done.records[1].line
    assert any(record.level == "debug" for record in done.records), "the level is debug unless told otherwise"


def test_an_image_without_a_tag_has_no_field_for_one(program: Program) -> None:
    done = program(APP, "--loglevel", "info")
    assert "image_tag" not in done.out + done.err
    assert {record.level for record in done.records} == {"info"}


def test_with_output_the_candidates_have_stdout_and_the_records_stderr(program: Program) -> None:
    done = program(APP, "--semver-constraint", "~1.1", "--output", "text")
    assert done.status == 0
    assert done.out.splitlines() == [
        "tag\tresult\tcreated\tdigest",
        "1.1.0\tchosen\t\t",
        "3.0.0-rc.1\toutside the constraint\t\t",
        "2.0.0\toutside the constraint\t\t",
        "1.2.0\toutside the constraint\t\t",
        "1.0.0\toutside the constraint\t\t",
        "main-4f1d2c7\tnot a version\t\t",
        "latest\tnot a version\t\t",
    ]
    assert done.said[-1] == f"latest image according to constraint is {APP}:1.1.0"


def test_the_document_says_everything(program: Program, registry: PlaygroundRegistry) -> None:
    done = program(f"web={APP}:1.0.0", "--output", "json", "--semver-constraint", "1.x", "--ignore-tags", "1.2.*")
    document = done.document
    losses = {entry["tag"]: entry["loss"] for entry in document.pop("candidates")}
    assert document == {
        "schemaVersion": 1,
        "command": "test",
        "image": APP,
        "alias": "web",
        "current": "1.0.0",
        "currentDigest": None,
        "registry": registry.address,
        "strategy": "semver",
        "constraint": "1.x",
        "platforms": None,
        "latest": f"{APP}:1.1.0",
        "outcome": "found",
        "problem": None,
        "tagsListed": 7,
        "tagsRemaining": 6,
        "warnings": [],
    }
    page = REFERENCE.read_text(encoding="utf-8").partition("## `test`")[2].partition("\n## ")[0]
    assert [key for key in document if f"| `{key}` |" not in page] == []
    assert losses == {
        "1.1.0": None,
        "1.0.0": "older",
        "1.2.0": "ignored",
        "2.0.0": "outside_constraint",
        "3.0.0-rc.1": "outside_constraint",
        "latest": "not_a_version",
        "main-4f1d2c7": "not_a_version",
    }


def test_a_terminal_gets_the_table_and_a_bar_while_metadata_is_read(program: Program) -> None:
    seen = program.watched(APP, "--update-strategy", "newest-build", "--allow-tags", "regexp:^1", *ON_LINUX)
    assert "Tags inspected" in seen
    assert "INFO" in seen, "records have the form for terminals"
    assert "2026-01-03T00:00:00Z" in seen
    assert "not matched by allow-tags" in seen
    assert seen.rstrip().endswith(f"latest: {APP}:1.2.0")


def test_a_terminal_shows_no_bar_where_names_are_enough(program: Program) -> None:
    seen = program.watched(APP)
    assert "Tags inspected" not in seen
    assert seen.rstrip().endswith(f"latest: {APP}:2.0.0")


@pytest.mark.parametrize(
    ("words", "latest"),
    [
        pytest.param((), "2.0.0", id="every release"),
        pytest.param(("--semver-constraint", ">=1.0 <1.2"), "1.1.0", id="a range"),
        pytest.param(("--semver-constraint=*-0",), "3.0.0-rc.1", id="with pre-releases"),
        pytest.param(("--update-strategy", "alphabetical"), "main-4f1d2c7", id="by name"),
        pytest.param(("--update-strategy", "newest-build", *ON_LINUX), "main-4f1d2c7", id="by date"),
        pytest.param(
            ("--update-strategy", "newest-build", "--allow-tags", r"regexp:^\d+\.\d+\.\d+$", *ON_LINUX),
            "2.0.0",
            id="by date among those that an expression allows",
        ),
        pytest.param(
            ("--update-strategy", "alphabetical", "--ignore-tags", "main-*", "--ignore-tags", "latest,x"),
            "latest",
            id="each ignore-tags is one glob",
        ),
    ],
)
def test_the_strategies_choose_as_a_round_does(program: Program, words: tuple[str, ...], latest: str) -> None:
    done = program(APP, *words)
    assert done.said[-1] == f"latest image according to constraint is {APP}:{latest}"
    assert done.warned == []


def test_metadata_stands_beside_the_tags_it_was_read_for(program: Program) -> None:
    words = ("--update-strategy", "newest-build", "--allow-tags", "regexp:^1", *ON_LINUX)
    done = program(APP, *words, "--output", "json")
    first, *others = done.document["candidates"]
    assert (first["tag"], first["created"], first["isChosen"]) == ("1.2.0", "2026-01-03T00:00:00Z", True)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", first["digest"])
    assert [(entry["tag"], entry["loss"]) for entry in others[:2]] == [("1.1.0", "older"), ("1.0.0", "older")]
    assert {entry["created"] for entry in others if entry["loss"] == "not_allowed"} == {None}
    assert done.document["platforms"] == ["linux/amd64"]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((APP, "--semver-constraint", "latest"), id="the tag in the constraint"),
        pytest.param((f"{APP}:latest",), id="the tag of the image"),
    ],
)
def test_the_digest_strategy_tells_what_a_mutable_tag_points_to(
    program: Program, registry: PlaygroundRegistry, words: tuple[str, ...]
) -> None:
    digest = registry.push("team/app", "latest")
    done = program(*words, "--update-strategy", "digest", *ON_LINUX)
    assert done.said[-2:] == [
        "Found 1 tags in registry",
        f"latest image according to constraint is {APP}:latest@{digest}",
    ]
    assert not any(asked.path.endswith("/tags/list") for asked in registry.requests)


def test_a_registry_that_lists_by_age_is_believed_without_metadata(
    program: Program, registry: PlaygroundRegistry
) -> None:
    program.describe(registry, "tagsortmode: latest-first")
    done = program(APP, "--update-strategy", "newest-build", "--allow-tags", "regexp:^1", *ON_LINUX, "--output=json")
    assert done.document["latest"] == f"{APP}:1.0.0"
    assert {entry["created"] for entry in done.document["candidates"]} == {None}
    assert [asked.path for asked in registry.requests] == ["/v2/team/app/tags/list"]


def test_platforms_keep_the_images_that_have_one_of_them(program: Program, registry: PlaygroundRegistry) -> None:
    dates = {"small": "2026-02-01T00:00:00Z", "both": "2026-01-20T00:00:00Z", "big": "2026-01-10T00:00:00Z"}
    registry.push("team/multi", "small", created=dates["small"], platform="linux/arm/v7")
    registry.push_index("team/multi", "both", {"linux/amd64": dates["both"], "linux/arm64": dates["both"]})
    registry.push("team/multi", "big", created=dates["big"], platform="linux/arm64")
    words = ("reg.test/team/multi", "--update-strategy", "newest-build", "--platforms", "linux/arm64")
    done = program(*words, "--output", "json")
    losses = {entry["tag"]: entry["loss"] for entry in done.document["candidates"]}
    assert losses == {"both": None, "big": "older", "small": "platform_missing"}
    assert done.said[-2] == "Found 2 tags in registry"
    assert program(*words, "--platforms", "linux/arm/v7").said[-1].endswith(":small"), "platforms add up"


def test_a_platform_that_no_image_has_leaves_no_tag(program: Program) -> None:
    done = program(APP, "--update-strategy", "newest-build", "--platforms", "linux/s390x,linux/arm64", "--output=json")
    assert done.said[-2:] == ["Found 0 tags in registry", "no newer version of image found"]
    assert {entry["reason"] for entry in done.document["candidates"]} == {"platform missing"}
    assert done.document["latest"] is None


def test_a_system_without_images_points_to_the_flag(program: Program) -> None:
    done = program(APP, "--platforms", "darwin/arm64")
    (warning,) = done.warned
    assert "darwin/arm64" in warning
    assert "--platforms" in warning


def test_where_no_tag_remains_the_current_image_is_the_latest(program: Program) -> None:
    words = ("--allow-tags", "regexp:^nothing$")
    assert program(f"{APP}:1.0.0", *words).said[-2:] == [
        "Found 0 tags in registry",
        f"latest image according to constraint is {APP}:1.0.0",
    ]
    assert program(APP, *words).said[-1] == "no newer version of image found"


def test_where_nothing_is_eligible_there_is_no_newer_version(program: Program) -> None:
    done = program(f"{APP}:1.0.0", "--semver-constraint", ">9")
    assert (done.status, done.said[-2:]) == (0, ["Found 7 tags in registry", "no newer version of image found"])


def test_an_expression_without_its_function_allows_nothing_and_says_so(program: Program) -> None:
    done = program(APP, "--allow-tags", r"^\d+$")
    assert done.said[-2:] == ["Found 0 tags in registry", "no newer version of image found"]
    (warning,) = done.warned
    assert "regexp:" in warning


@pytest.mark.parametrize(
    ("strategy", "fragment", "latest"),
    [
        pytest.param("latest", "newest-build", "main-4f1d2c7", id="the old name of newest-build"),
        pytest.param("name", "alphabetical", "main-4f1d2c7", id="the old name of alphabetical"),
        pytest.param("newest", "semver is used", "2.0.0", id="unknown"),
    ],
)
def test_strategies_that_are_not_called_so_warn(program: Program, strategy: str, fragment: str, latest: str) -> None:
    done = program(APP, "--update-strategy", strategy, *ON_LINUX)
    (warning,) = done.warned
    assert fragment in warning
    assert done.said[-1].endswith(f":{latest}")


def test_a_constraint_that_is_not_read_warns(program: Program) -> None:
    (warning,) = program(APP, "--update-strategy", "alphabetical", "--semver-constraint", "1.x").warned
    assert "--semver-constraint" in warning


def test_the_rate_limit_is_announced_when_it_was_given(program: Program, registry: PlaygroundRegistry) -> None:
    registry.faults.delay(0.05)
    done = program(APP, "--rate-limit", "5")
    assert done.said[1] == "Overriding registry rate-limit to 5 requests per second"
    assert done.said[-1].endswith(":2.0.0")


def test_a_private_registry_takes_credentials_from_a_variable(program: Program, registry: PlaygroundRegistry) -> None:
    registry.require_basic("bot", "planted-password")
    done = program(APP, "--credentials", "env:LOGIN", LOGIN="bot:planted-password")
    assert done.said[-1].endswith(":2.0.0")
    assert "planted" not in done.out + done.err


def test_a_private_registry_takes_credentials_from_a_script(
    program: Program, registry: PlaygroundRegistry, tmp_path: Path
) -> None:
    registry.require_bearer("bot", "planted-password")
    script = tmp_path / "login"
    script.write_text("#!/bin/sh\necho bot:planted-password\n", encoding="utf-8")
    script.chmod(0o700)
    done = program(APP, "--credentials", f"ext:{script}")
    assert done.said[-1].endswith(":2.0.0")
    assert "planted" not in done.out + done.err


def test_a_private_registry_takes_credentials_from_the_file_of_docker(
    program: Program, registry: PlaygroundRegistry, tmp_path: Path
) -> None:
    registry.require_basic("bot", "planted-password")
    login = base64.b64encode(b"bot:planted-password").decode()
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"auths": {registry.host: {"auth": login}}}), encoding="utf-8")
    done = program(APP, "--credentials", f"file:{config}")
    assert done.said[-1].endswith(":2.0.0")
    assert "planted" not in done.out + done.err


def test_credentials_of_the_flag_win_over_those_of_the_file(program: Program, registry: PlaygroundRegistry) -> None:
    registry.require_bearer("bot", "right")
    program.describe(registry, "credentials: env:OF_FILE")
    assert program(APP, OF_FILE="bot:right").status == 0
    done = program(APP, "--credentials", "env:OF_FLAG", OF_FILE="bot:wrong", OF_FLAG="bot:right")
    assert done.said[-1].endswith(":2.0.0")


def test_a_registry_with_its_own_certificate_works_by_its_entry(program: Program, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with PlaygroundRegistry(context) as registry:
        registry.push("team/app", "1.0.0")
        program.describe(registry)
        assert "certificate" in program(APP).failure
        program.describe(registry, "insecure: yes")
        assert program(APP).said[-1].endswith(":1.0.0")
        program.describe(registry, f"ca_file: {tmp_path / 'ca.pem'}")
        assert program(APP).said[-1].endswith(":1.0.0")


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        pytest.param((APP, "--platforms", "linux"), "invalid platform 'linux'", id="platform"),
        pytest.param((APP, "--semver-constraint", "~one.two"), "one.two", id="constraint"),
        pytest.param((APP, "--update-strategy", "digest"), "needs the tag to follow", id="nothing to follow"),
        pytest.param((f"{APP}:edge",), "current tag 'edge' is not a version", id="current tag"),
        pytest.param((f"{APP}:v 1",), "could not parse the image", id="tag of the image"),
        pytest.param(("Reg.Test/Team/App",), "could not parse the image", id="image"),
        pytest.param((APP, "--credentials", "bot:planted-password"), "credential source", id="not a source"),
        pytest.param((APP, "--credentials", "env:LOGIN"), "env:LOGIN", id="variable that is not set"),
        pytest.param((APP, "--credentials", "secret:argocd/reg#creds"), "kubernetes_unavailable", id="a secret"),
        pytest.param((APP, "--credentials", "pullsecret:argocd/reg"), "kubernetes_unavailable", id="a pull secret"),
        pytest.param(("reg.test/team/missing",), "team/missing", id="repository"),
        pytest.param((APP, "--registries-conf-path", "/nonexistent"), "Could not load registry", id="no file"),
    ],
)
def test_a_failure_is_one_fatal_record(program: Program, words: tuple[str, ...], fragment: str) -> None:
    done = program(*words)
    assert fragment in done.failure
    assert "planted" not in done.out + done.err


def test_a_registries_file_that_is_not_valid_fails(program: Program) -> None:
    program.registries.write_text("registries: 7")
    assert "Could not load registry configuration from" in program(APP).failure


def test_a_document_is_whole_or_not_there(program: Program) -> None:
    done = program("reg.test/team/missing", "--output", "json")
    assert (done.status, done.out) == (1, "")


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        pytest.param("/tags/list", 1, id="while tags are listed"),
        pytest.param("/manifests/", 2, id="while metadata is read"),
    ],
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_without_an_answer(
    program: Program, registry: PlaygroundRegistry, target: str, asked: int, number: signal.Signals
) -> None:
    registry.faults.never_answer(target=target)
    process = program.start(APP, "--update-strategy", "newest-build", *ON_LINUX)
    registry.wait_for_requests(asked, timeout_s=20)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert "stopped by a signal" in Done(process.returncode, out, err).failure


@pytest.mark.parametrize("words", [pytest.param((), id="none"), pytest.param((APP, "1.2.3"), id="two")])
def test_any_other_number_of_images_is_wrong_usage(program: Program, words: tuple[str, ...]) -> None:
    done = program.bare(*words)
    assert (done.returncode, done.stdout) == (1, "")
    error, usage = done.stderr.splitlines()
    assert "image needs to be specified" in error
    assert usage.startswith("Usage: argocd-image-updater test IMAGE [flags]; ")


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        pytest.param((APP, "--platform", "linux/amd64"), "unknown flag: --platform", id="singular"),
        pytest.param((APP, "--loglevel", "loud"), "invalid loglevel", id="level"),
        pytest.param((APP, "--output", "yaml"), "--output", id="format"),
        pytest.param((APP, "--rate-limit", "many"), "--rate-limit", id="not a number"),
        pytest.param((APP, "--rate-limit=-1"), "--rate-limit", id="a negative number"),
        pytest.param((APP, "--kubeconfig", "/x"), "--kubeconfig", id="a client this release does not have"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_asked(
    program: Program, registry: PlaygroundRegistry, words: tuple[str, ...], fragment: str
) -> None:
    done = program.bare(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert fragment in done.stderr
    assert registry.requests == ()


def test_variables_of_run_do_not_reach_its_flags(program: Program) -> None:
    done = program(APP, IMAGE_UPDATER_LOGLEVEL="error", REGISTRY_TAG_ATTEMPTS="none")
    assert len(done.said) == 4
    (warning,) = done.warned
    assert "REGISTRY_TAG_ATTEMPTS" in warning
