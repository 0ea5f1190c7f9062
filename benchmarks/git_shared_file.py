"""Method git: 500 Applications that all edit one file, one batch.

One values file of 5,000 lines, one kustomization and one override file with an entry for each Application, and a file
in which some edits are refused by the look at what came out (a key without a colon takes no value).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from benchmarks.git_batch import Writer, writer
from benchmarks.git_edit import LINES, TAG, values_file
from benchmarks.measuring import Cost, cost_of, show
from updater.manifests.override_seed import OverrideSeed
from updater.manifests.values_file import ValueWrite
from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import ChangeSet, HelmParameterEdit, ImageChange, KustomizeImageEdit, SourceChoice
from updater.model.changes import WriteOutcome as Outcome
from updater.model.git_remotes import parse_git_remote
from updater.model.git_targets import GitTarget, TargetFile
from updater.playground.git_remote import BareRepository
from updater.writeback.git_intents import FileEditor, GitIntent, kustomization_editor, override_editor, values_editor

APPLICATIONS = 500
ROUNDS = 3
AIM_S = 10.0
"""Of processor time for a batch; what is measured is far below."""

Edit = Callable[[int, str], FileEditor]
"""From the number of an Application and the new tag to its edit."""


def main() -> None:
    print(f"git_shared_file: {APPLICATIONS} Applications in one file, one changed tag each, {ROUNDS} rounds")
    blocks = LINES // 20
    keys = [
        f"workload-{n % blocks:04}.{'image.tag' if n < blocks else 'image.repository'}" for n in range(APPLICATIONS)
    ]
    target = TargetFile.HELM_VALUES
    _measure(f"values file, {LINES:,} lines", values_file(LINES), target, lambda n, tag: _value(keys[n], tag))
    _measure("kustomization", _kustomization(), TargetFile.KUSTOMIZATION, _image)
    _measure("override file", _override(), TargetFile.PARAMETERS, _parameter)
    lost = f"{values_file(LINES)}? lost\n"
    _refused(lost, lambda n, tag: _value("lost" if n % 100 == 0 else keys[n], tag))


def _measure(label: str, text: str, file: TargetFile, edit: Edit) -> None:
    changed, again = _rounds(text, file, edit, {Outcome.WRITTEN: APPLICATIONS}, {Outcome.UNCHANGED: APPLICATIONS})
    show(f"{label}: all changed, CPU", [cost.cpu_s for cost in changed], "s")
    show(f"{label}: all changed, wall", [cost.wall_s for cost in changed], "s")
    show(f"{label}: the same again, wall", [cost.wall_s for cost in again], "s")
    assert max(cost.cpu_s for cost in changed) < AIM_S, label


def _refused(text: str, edit: Edit) -> None:
    failed = APPLICATIONS // 100
    outcomes = {Outcome.WRITTEN: APPLICATIONS - failed, Outcome.FAILED: failed}
    changed, _ = _rounds(text, TargetFile.HELM_VALUES, edit, outcomes, {**outcomes, Outcome.WRITTEN: 0})
    show(f"values file: {failed} refused, the others changed, CPU", [cost.cpu_s for cost in changed], "s")
    assert max(cost.cpu_s for cost in changed) < AIM_S


def _rounds(
    text: str, file: TargetFile, edit: Edit, first: dict[Outcome, int], second: dict[Outcome, int]
) -> tuple[list[Cost], list[Cost]]:
    """The costs of new tags in each round, and of the same once more."""
    path = "apps" if file is TargetFile.KUSTOMIZATION else "apps/shared.yaml"
    stored = "apps/kustomization.yaml" if file is TargetFile.KUSTOMIZATION else path
    changed, again = [], []
    with tempfile.TemporaryDirectory() as folder, writer(Path(folder) / "cache") as fresh:
        remote = BareRepository(Path(folder) / "remote.git")
        remote.commit({stored: text})
        for number in range(ROUNDS):
            tag = f"2.0.{number}"
            target = GitTarget(parse_git_remote(remote.url), path, file)
            intents = [_intent(target, n, edit(n, tag)) for n in range(APPLICATIONS)]
            changed.append(_cost(fresh, intents, first))
            again.append(_cost(fresh, intents, {**second, Outcome.UNCHANGED: first[Outcome.WRITTEN]}))
            assert fresh.log.counts["git_commit_made"] == number + 1
    return changed, again


def _cost(fresh: Writer, intents: list[GitIntent], expected: dict[Outcome, int]) -> Cost:
    def write() -> None:
        outcomes = Counter(result.outcome for result in fresh.write(intents))
        assert outcomes == Counter(expected), outcomes

    return cost_of(write)


def _intent(target: GitTarget, number: int, edit: FileEditor) -> GitIntent:
    key = ApplicationKey("argocd", f"app-{number:04}")
    change = ImageChange("", "example/app", TAG, "2.0.0")
    change_set = ChangeSet(key, "default", SourceChoice(SourceKind.HELM), (), (change,), git=target)
    return GitIntent(change_set, target, f"build: automatic update of {key.name}\n", edit)


def _value(key: str, tag: str) -> FileEditor:
    return values_editor([ValueWrite(key, tag)])


def _image(number: int, tag: str) -> FileEditor:
    return kustomization_editor([KustomizeImageEdit("", f"registry.example.com/team/service-{number}:{tag}")])


def _parameter(number: int, tag: str) -> FileEditor:
    edits = [HelmParameterEdit(f"service-{number:04}.tag", tag)]
    return override_editor(edits, OverrideSeed(), SourceKind.HELM, TargetFile.PARAMETERS)


def _kustomization() -> str:
    entries = (f"- name: registry.example.com/team/service-{n}\n  newTag: {TAG}  # ours\n" for n in range(APPLICATIONS))
    return f"resources:\n- deployment.yaml\nimages:\n{''.join(entries)}"


def _override() -> str:
    entries = (
        f"  - name: service-{number:04}.tag\n    value: {TAG}\n    forcestring: true\n"
        for number in range(APPLICATIONS)
    )
    return f"helm:\n  parameters:\n{''.join(entries)}"


if __name__ == "__main__":
    main()
