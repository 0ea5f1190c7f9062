"""Intents into commits of real repositories."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.git.bench import QUICK, Bench, BenchOptions, RecordingLog, failing_edit, intent_for
from updater.clock import Deadline
from updater.errors import WriteBackError
from updater.git.options import Admission, FetchMode, GitOptions
from updater.manifests.readings import Source, text_of
from updater.manifests.targets import FileEdit
from updater.model.changes import WriteOutcome
from updater.model.git_prefixes import parse_git_prefix
from updater.playground.git_remote import BareRepository
from updater.writeback.git_edits import MAX_DIFF_LINES
from updater.writeback.git_options import GitWriteOptions

_VALUES = "image:\n  tag: 1.0.0\n"


def _fleet(remote: BareRepository, *names: str) -> None:
    remote.commit({f"apps/{name}/values.yaml": _VALUES for name in names})


def test_a_change_becomes_a_commit_and_only_its_scalar_differs(remote: BareRepository, bench: Bench) -> None:
    result = bench.write_one(intent_for(remote.url, "1.1.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert result.commit == remote.tip()
    assert remote.read("apps/shop/values.yaml") == "image:\n  name: shop  # ours\n  tag: 1.1.0\n"
    assert remote.git("log", "-1", "--format=%an <%ae>%n%B").splitlines() == [
        "argocd-image-updater <noreply@argoproj.io>",
        "build: automatic update of shop",
        "",
        "updates image example/shop tag '1.0.0' to '1.1.0'",
        "",
    ]


def test_a_file_as_wanted_makes_no_commit(remote: BareRepository, bench: Bench) -> None:
    before = remote.tip()
    assert bench.write_one(intent_for(remote.url, "1.0.0")).outcome is WriteOutcome.UNCHANGED
    assert remote.tip() == before


def test_a_dry_run_shows_the_diff_and_writes_nothing(remote: BareRepository, bench: Bench) -> None:
    before = remote.tip()
    result = bench.write_one(intent_for(remote.url, "1.1.0"), dry_run=True)
    assert result.outcome is WriteOutcome.DRY_RUN
    assert "-  tag: 1.0.0" in result.diff
    assert "+  tag: 1.1.0" in result.diff
    assert remote.tip() == before


def test_several_applications_share_one_commit(remote: BareRepository, bench: Bench) -> None:
    _fleet(remote, "a", "b", "c")
    before = remote.count()
    results = bench.write(*(intent_for(remote.url, "2.0.0", app=name) for name in "cab"))
    assert {result.commit for result in results} == {remote.tip()}
    assert remote.count() == before + 1
    body = remote.git("log", "-1", "--format=%B").splitlines()
    assert body[0] == "build: automatic update of 3 applications"
    assert [line for line in body if line.startswith("build: automatic update of ")][1:] == [
        f"build: automatic update of {name}" for name in "abc"
    ]


def test_many_push_branches_of_one_mirror_are_written_side_by_side(remote: BareRepository, bench: Bench) -> None:
    intents = [intent_for(remote.url, f"2.0.{number}", write_branch=f"updates/{number}") for number in range(12)]
    for round_number in range(2):
        results = bench.write(*intents)
        assert {result.error for result in results} == {""}
        remote.commit({"other": f"{round_number}"})
        intents = [intent_for(remote.url, f"3.0.{number}", write_branch=f"updates/{number}") for number in range(12)]
    assert all(
        f"tag: 3.0.{number}" in remote.read("apps/shop/values.yaml", f"updates/{number}") for number in range(12)
    )


def test_per_application_commits_share_one_push(remote: BareRepository, make_bench: Callable[..., Bench]) -> None:
    _fleet(remote, "a", "b")
    pushes = remote.folder / "pushes"
    remote.add_hook("post-receive", f"echo push >> {pushes}")
    options = GitWriteOptions(backoff=QUICK, commits_per_application=True)
    results = make_bench(BenchOptions(write=options)).write(
        *(intent_for(remote.url, "2.0.0", app=name) for name in "ab")
    )
    assert remote.messages()[:2] == ["build: automatic update of b", "build: automatic update of a"]
    assert len({result.commit for result in results}) == 2
    assert pushes.read_text() == "push\n"


def test_different_branches_never_share_a_commit(remote: BareRepository, bench: Bench) -> None:
    remote.commit({"apps/shop/values.yaml": _VALUES, "apps/b/values.yaml": _VALUES}, branch="dev")
    results = bench.write(intent_for(remote.url, "2.0.0"), intent_for(remote.url, "3.0.0", app="b", revision="dev"))
    assert [result.commit for result in results] == [remote.tip("main"), remote.tip("dev")]
    assert "3.0.0" not in remote.git("diff", "main~1", "main")


def test_one_failing_edit_does_not_cost_the_others(remote: BareRepository, bench: Bench) -> None:
    _fleet(remote, "a", "b", "c")
    refusal = failing_edit(WriteBackError("no such key", code="bad_key"))
    bug = failing_edit(KeyError("x"))
    results = bench.write(
        intent_for(remote.url, "2.0.0", app="a"),
        intent_for(remote.url, "2.0.0", app="b", edit=refusal),
        intent_for(remote.url, "2.0.0", app="c", edit=bug),
    )
    assert [result.outcome for result in results] == [WriteOutcome.WRITTEN, WriteOutcome.FAILED, WriteOutcome.FAILED]
    assert [result.error_code for result in results] == ["", "bad_key", "internal_error"]
    assert remote.git("diff", "--name-only", "main~1", "main").split() == ["apps/a/values.yaml"]


def test_an_edit_that_fails_leaves_the_shared_file_to_the_next(remote: BareRepository, bench: Bench) -> None:
    path = "apps/shop/values.yaml"
    results = bench.write(
        intent_for(remote.url, "9.9.9", app="a", path=path, edit=failing_edit(WriteBackError("no", code="bad_key"))),
        intent_for(remote.url, "1.2.0", app="b", path=path),
    )
    assert [result.outcome for result in results] == [WriteOutcome.FAILED, WriteOutcome.WRITTEN]
    assert "tag: 1.2.0" in remote.read(path)


def test_applications_that_disagree_about_a_file_are_named(
    remote: BareRepository, make_bench: Callable[..., Bench]
) -> None:
    log = RecordingLog()
    path = "apps/shop/values.yaml"
    make_bench(BenchOptions(log=log)).write(
        intent_for(remote.url, "1.1.0", app="a", path=path), intent_for(remote.url, "1.2.0", app="b", path=path)
    )
    assert log.events.count("git_changes_conflicted") == 1
    assert "tag: 1.2.0" in remote.read(path)


def test_a_write_branch_is_created_from_the_base_and_then_grows(remote: BareRepository, bench: Bench) -> None:
    base = remote.tip()
    bench.write(intent_for(remote.url, "1.1.0", write_branch="updates/shop"))
    bench.write(intent_for(remote.url, "1.2.0", write_branch="updates/shop"))
    assert remote.tip() == base
    assert remote.count("updates/shop") == remote.count() + 2
    assert "tag: 1.2.0" in remote.read("apps/shop/values.yaml", "updates/shop")


def test_a_reset_write_branch_is_made_anew_from_the_base(
    remote: BareRepository, make_bench: Callable[..., Bench]
) -> None:
    bench = make_bench(BenchOptions(write=GitWriteOptions(backoff=QUICK, resets_write_branch=True)))
    bench.write(intent_for(remote.url, "1.1.0", write_branch="updates"))
    remote.commit({"other": "newer base"})
    bench.write(intent_for(remote.url, "1.2.0", write_branch="updates"))
    assert remote.count("updates") == remote.count() + 1
    assert remote.read("other", "updates") == "newer base"
    tip = remote.tip("updates")
    again = bench.write_one(intent_for(remote.url, "1.2.0", write_branch="updates"))
    assert (again.outcome, remote.tip("updates")) == (WriteOutcome.UNCHANGED, tip)


def test_the_default_branch_is_never_made_anew(remote: BareRepository, make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(BenchOptions(write=GitWriteOptions(backoff=QUICK, resets_write_branch=True)))
    remote.git("branch", "dev", "main")
    before = remote.commit({"other": "only on main"})
    result = bench.write_one(intent_for(remote.url, "1.2.0", revision="dev", write_branch="main"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert remote.git("rev-parse", "main^").strip() == before


@pytest.mark.parametrize(
    ("revision", "code"),
    [
        pytest.param("v1", "revision_is_tag", id="tag"),
        pytest.param("0123456789abcdef0123456789abcdef01234567", "revision_is_commit", id="commit"),
        pytest.param("nowhere", "branch_not_found", id="missing"),
    ],
)
def test_a_revision_that_is_no_branch_is_named(remote: BareRepository, bench: Bench, revision: str, code: str) -> None:
    remote.git("tag", "v1", "main")
    assert bench.write_one(intent_for(remote.url, "1.1.0", revision=revision)).error_code == code


@pytest.mark.parametrize("name", ["a\0b", "a b", "x" * 5000, "two\nlines", "*"])
def test_a_name_that_no_branch_has_is_refused(remote: BareRepository, bench: Bench, name: str) -> None:
    assert bench.write_one(intent_for(remote.url, "1.1.0", revision=name)).error_code == "invalid_branch_name"
    assert bench.write_one(intent_for(remote.url, "1.1.0", write_branch=name)).error_code == "invalid_branch_name"


def test_a_branch_that_became_a_folder_of_branches_is_no_obstacle(remote: BareRepository, bench: Bench) -> None:
    bench.write(intent_for(remote.url, "1.1.0", write_branch="updates"))
    remote.git("branch", "-D", "updates")
    for tag in ("1.2.0", "1.3.0"):
        result = bench.write_one(intent_for(remote.url, tag, write_branch="updates/shop"))
        assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
        remote.commit({"other": tag}, branch="updates/shop")


@pytest.mark.parametrize("setting", ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"])
def test_a_server_that_offers_less_is_enough(remote: BareRepository, bench: Bench, setting: str) -> None:
    remote.git("config", setting, "false")
    assert bench.write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.WRITTEN
    remote.commit({"other": "x"})
    assert bench.write_one(intent_for(remote.url, "1.2.0")).outcome is WriteOutcome.WRITTEN


def test_an_empty_repository_has_no_branch_to_write(tmp_path: Path, bench: Bench) -> None:
    empty = BareRepository(tmp_path / "empty.git")
    assert bench.write_one(intent_for(empty.url, "1.1.0")).error_code == "no_default_branch"


def test_a_missing_repository_is_named(tmp_path: Path, bench: Bench) -> None:
    result = bench.write_one(intent_for((tmp_path / "nothing").as_uri(), "1.1.0"))
    assert result.error_code == "repo_not_found"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"image:\n  tag: \xff\n", "target_not_utf8", id="not UTF-8"),
        pytest.param(b"#" * (10 * 1024 * 1024 + 1), "target_too_large", id="too large"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid x\n", "target_is_lfs_pointer", id="LFS"),
        pytest.param(b"a: [\n", "parse_error", id="no YAML"),
    ],
)
def test_a_file_that_cannot_be_edited_is_named(remote: BareRepository, bench: Bench, content: bytes, code: str) -> None:
    remote.commit({"apps/shop/values.yaml": content})
    assert bench.write_one(intent_for(remote.url, "1.1.0")).error_code == code


def test_a_submodule_is_no_place_for_a_target(remote: BareRepository, bench: Bench) -> None:
    tree = remote.git("ls-tree", "main").replace("\tapps", "\told")
    made = remote.git("mktree", "--missing", stdin=f"{tree}160000 commit {'1' * 40}\tsub\n".encode()).strip()
    remote.git("update-ref", "refs/heads/main", remote.git("commit-tree", made, "-p", "main", "-m", "x").strip())
    assert bench.write_one(intent_for(remote.url, "1.1.0", path="sub/x.yaml")).outcome is WriteOutcome.FAILED
    assert bench.write_one(intent_for(remote.url, "1.1.0", path="sub")).outcome is WriteOutcome.FAILED


def test_a_new_file_is_made_with_its_folders(remote: BareRepository, bench: Bench) -> None:
    result = bench.write_one(intent_for(remote.url, "1.1.0", path="deep/er/values.yaml"))
    assert result.outcome is WriteOutcome.WRITTEN
    assert "tag: 1.1.0" in remote.read("deep/er/values.yaml")


def test_modes_and_neighbours_of_a_file_stay(remote: BareRepository, bench: Bench) -> None:
    remote.commit({"apps/shop/läuft.sh": "#!/bin/sh\n"}, links={"apps/shop/link": "values.yaml"})
    before = remote.git("ls-tree", "-r", "-z", "main").split("\0")
    bench.write(intent_for(remote.url, "1.1.0"))
    after = remote.git("ls-tree", "-r", "-z", "main").split("\0")
    assert [line for line in before if "values.yaml" not in line] == [
        line for line in after if "values.yaml" not in line
    ]
    remote.git("fsck", "--strict")


def test_a_link_inside_is_followed_to_the_real_file(remote: BareRepository, bench: Bench) -> None:
    remote.commit({}, links={"current": "apps/shop"})
    bench.write(intent_for(remote.url, "1.1.0", path="current/values.yaml"))
    assert "tag: 1.1.0" in remote.read("apps/shop/values.yaml")
    assert remote.git("ls-tree", "main", "current").startswith("120000")


@pytest.mark.parametrize("target", ["/etc/hosts", "../../../etc/hosts"])
def test_a_link_out_of_the_repository_is_refused(remote: BareRepository, bench: Bench, target: str) -> None:
    remote.commit({}, links={"apps/shop/out.yaml": target})
    result = bench.write_one(intent_for(remote.url, "1.1.0", path="apps/shop/out.yaml"))
    assert result.error_code == "symlink_escapes_repo"


def test_a_mirror_survives_a_restart_in_a_configured_folder(
    remote: BareRepository, make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    git = GitOptions(cache_folder=tmp_path / "cache", admission=Admission(allows_local=True))
    first = make_bench(BenchOptions(git=git))
    first.write(intent_for(remote.url, "1.1.0"))
    first.close()
    (mirror,) = (tmp_path / "cache").glob("*.git")
    marked = mirror / "marked"
    marked.touch()
    second = make_bench(BenchOptions(git=git))
    assert second.write_one(intent_for(remote.url, "1.2.0")).outcome is WriteOutcome.WRITTEN
    assert marked.exists()


def test_a_second_process_leaves_the_cache_folder_alone(
    remote: BareRepository, make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    git = GitOptions(cache_folder=tmp_path / "cache", admission=Admission(allows_local=True))
    make_bench(BenchOptions(git=git))
    second = make_bench(BenchOptions(git=git))
    assert second.write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.WRITTEN
    assert list((tmp_path / "cache").glob("*.git")) == []


@pytest.mark.parametrize("mode", list(FetchMode), ids=lambda mode: mode.value)
def test_a_damaged_mirror_is_made_again(
    remote: BareRepository, make_bench: Callable[..., Bench], tmp_path: Path, mode: FetchMode
) -> None:
    git = GitOptions(cache_folder=tmp_path / "cache", mode=mode, admission=Admission(allows_local=True))
    bench = make_bench(BenchOptions(git=git))
    bench.write(intent_for(remote.url, "1.1.0"))
    for path in (tmp_path / "cache").glob("*.git/objects/*/*"):
        path.chmod(0o600)
        path.write_bytes(b"rubbish")
    result = bench.write_one(intent_for(remote.url, "1.2.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)


def test_stale_locks_of_a_killed_process_do_not_stop_a_mirror(
    remote: BareRepository, make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    git = GitOptions(cache_folder=tmp_path / "cache", admission=Admission(allows_local=True))
    first = make_bench(BenchOptions(git=git))
    first.write(intent_for(remote.url, "1.1.0"))
    first.close()
    (mirror,) = (tmp_path / "cache").glob("*.git")
    (mirror / "marked").touch()
    for name in ("shallow.lock", "packed-refs.lock", "refs/heads/main.lock", "config.lock"):
        (mirror / name).touch()
    remote.commit({"apps/shop/values.yaml": "image:\n  tag: 1.1.5\n"})
    result = make_bench(BenchOptions(git=git)).write_one(intent_for(remote.url, "1.2.0"))
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert (mirror / "marked").exists(), "the mirror was thrown away instead of mended"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        pytest.param("http://git.example.test/a", "not encrypted", id="http"),
        pytest.param("file:///srv/a", "a path on this machine", id="local"),
        pytest.param("https://git.example.test.attacker.test/acme/a", "not among the allowed", id="other host"),
    ],
)
def test_addresses_that_are_not_admitted_are_refused(make_bench: Callable[..., Bench], url: str, why: str) -> None:
    git = GitOptions(admission=Admission(prefixes=(parse_git_prefix("https://git.example.test/acme"),)))
    result = make_bench(BenchOptions(git=git)).write_one(intent_for(url, "1.1.0"))
    assert result.error_code == "repo_url_refused"
    assert why in result.error


def test_intents_that_come_together_in_continuous_mode_share_a_commit(remote: BareRepository, bench: Bench) -> None:
    names = [f"app{number}" for number in range(6)]
    _fleet(remote, *names)
    before = remote.count()
    deadline = Deadline.after(bench.clock, 30)
    outcomes: list[WriteOutcome] = []
    ready = threading.Barrier(len(names))

    def work(name: str) -> None:
        ready.wait()
        intent = intent_for(remote.url, "2.0.0", app=name)
        outcomes.append(bench.write_back.write(intent, dry_run=False, deadline=deadline).outcome)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [WriteOutcome.WRITTEN] * 6
    assert remote.count() == before + 1


def test_without_batching_every_application_has_its_own_commit(
    remote: BareRepository, make_bench: Callable[..., Bench]
) -> None:
    _fleet(remote, "a", "b", "c")
    before = remote.count()
    options = GitWriteOptions(backoff=QUICK, is_batching=False)
    results = make_bench(BenchOptions(write=options)).write(
        *(intent_for(remote.url, "2.0.0", app=name) for name in "abc")
    )
    assert remote.count() == before + 3
    assert len({result.commit for result in results}) == 3


def test_a_newer_intent_of_the_same_application_replaces_the_older(remote: BareRepository, bench: Bench) -> None:
    results = bench.write(intent_for(remote.url, "1.1.0"), intent_for(remote.url, "1.2.0"))
    assert [result.outcome for result in results] == [WriteOutcome.SUPERSEDED, WriteOutcome.WRITTEN]
    assert "tag: 1.2.0" in remote.read("apps/shop/values.yaml")


def test_hooks_and_configuration_of_the_repository_are_not_run(
    remote: BareRepository, bench: Bench, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    remote.commit(
        {
            ".gitattributes": "*.yaml filter=evil diff=evil\n",
            ".githooks/pre-push": f"#!/bin/sh\ntouch {proof}\n",
            ".gitconfig": f"[core]\n\tfsmonitor = touch {proof}\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% proof\n',
        }
    )
    assert bench.write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.WRITTEN
    (mirror,) = bench.remotes._opened().folder.glob("*.git")
    for name in ("reference-transaction", "pre-push", "pre-commit", "post-commit", "pre-auto-gc"):
        hook = mirror / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {proof}\n")
        hook.chmod(0o755)
    remote.commit({"apps/other": "somebody else's change"})
    assert bench.write_one(intent_for(remote.url, "1.2.0")).outcome is WriteOutcome.WRITTEN
    assert not proof.exists()


def test_secrets_of_the_updater_do_not_reach_git(
    remote: BareRepository, make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    seen = tmp_path / "environment"
    remote.add_hook("pre-receive", f"env > {seen}")
    environment = {"ARGOCD_TOKEN": "very-secret", "GIT_SSH_COMMAND": "touch /tmp/x", "GIT_TEMPLATE_DIR": "/nowhere"}
    make_bench(BenchOptions(environment=environment)).write(intent_for(remote.url, "1.1.0"))
    text = seen.read_text()
    assert "very-secret" not in text
    assert "GIT_TEMPLATE_DIR" not in text


def test_packs_of_a_mirror_are_closed_without_the_collector(remote: BareRepository, bench: Bench) -> None:
    gc.disable()
    try:
        bench.write(intent_for(remote.url, "1.1.0"))
        opened = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists()]
    finally:
        gc.enable()
    assert list(bench.remotes._opened().folder.glob("*.git/objects/pack/*.pack"))
    assert [path for path in opened if path.endswith((".pack", ".idx"))] == []


def test_nothing_is_left_behind(remote: BareRepository, bench: Bench) -> None:
    bench.write(intent_for(remote.url, "1.1.0"))
    folders = set(Path("/tmp").glob(f"argocd-image-updater-git-{os.getpid()}-*"))  # noqa: S108 - where git's folders are
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(10):
        bench.write(intent_for(remote.url, f"1.2.{number}"))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
    assert set(Path("/tmp").glob(f"argocd-image-updater-git-{os.getpid()}-*")) <= folders  # noqa: S108 - as above


def test_a_long_diff_says_how_much_it_leaves_out(remote: BareRepository, bench: Bench) -> None:
    long = "\n".join(f"key{number}: 1" for number in range(MAX_DIFF_LINES))

    def rewrite(source: Source | None, _where: str) -> FileEdit:
        return FileEdit(f"{text_of(source)}{long}\n", is_changed=True)

    diff = bench.write_one(intent_for(remote.url, "1.1.0", edit=rewrite), dry_run=True).diff
    assert len(diff) == MAX_DIFF_LINES + 1
    assert diff[-1] == "... and 4 lines more"


def test_a_branch_whose_newest_commit_has_a_huge_message_is_written(
    remote: BareRepository, make_bench: Callable[..., Bench]
) -> None:
    huge = remote.git("commit-tree", "main^{tree}", "-p", "main", stdin=b"change\n\n" + b"word\n" * 500_000).strip()
    remote.git("update-ref", "refs/heads/main", huge)
    assert make_bench().write_one(intent_for(remote.url, "1.1.0")).outcome is WriteOutcome.WRITTEN
