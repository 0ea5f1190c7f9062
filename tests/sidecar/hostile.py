"""A report whose every text is what an attacker would write."""

from __future__ import annotations

from updater.model.applications import ApplicationKey, SourceKind
from updater.model.changes import ChangeSet, ImageChange, SourceChoice, WriteBackResult, WriteOutcome
from updater.model.images import (
    Candidate,
    Choice,
    Counter,
    Decision,
    HelmTarget,
    ImagePlan,
    Loss,
    Reason,
    Strategy,
    TagRule,
)
from updater.model.references import ImageReference, ImageRepository
from updater.model.report import ApplicationReport, Report, Warned

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
REPOSITORY = ImageRepository("registry.example.com", "shop/web")


def hostile_report() -> Report:
    """One Application that was updated, among hostile tags, and one that is hostile altogether."""
    return Report((_plain(), _hostile()), seconds=1.5)


def _plain() -> ApplicationReport:
    key = ApplicationKey("argocd", "plain")
    choice = Choice(Candidate("1.0.1"), 3, (("1.0.0", Loss.OLDER), (HOSTILE, Loss.NOT_A_VERSION)))
    counts = frozenset((Counter.CONSIDERED, Counter.UPDATED))
    wanted = ImageReference(REPOSITORY, "1.0.1")
    decision = Decision(_plan(key, "web", "~1.0"), Reason.UPDATE, choice, wanted, counts=counts)
    change = ImageChange("web", REPOSITORY.full_name, "1.0.0", "1.0.1")
    change_set = ChangeSet(key, "default", SourceChoice(SourceKind.HELM), (), (change,))
    page = "https://git.example.com/pull/7"
    result = WriteBackResult(change_set, WriteOutcome.WRITTEN, commit="c0ffee", pull_request=page)
    return ApplicationReport(key, (decision,), result)


def _hostile() -> ApplicationReport:
    key = ApplicationKey("argocd", "zz-hostile")
    counts = frozenset((Counter.CONSIDERED, Counter.ERRORS))
    decision = Decision(
        _plan(key, HOSTILE, HOSTILE), Reason.TAGS_UNAVAILABLE, None, None, f"the registry said {HOSTILE}", counts=counts
    )
    change_set = ChangeSet(
        key, "default", SourceChoice(SourceKind.HELM), (), (ImageChange(HOSTILE, HOSTILE, HOSTILE, HOSTILE),)
    )
    result = WriteBackResult(change_set, WriteOutcome.WRITTEN, pull_request=f"javascript:{HOSTILE}", warning=HOSTILE)
    return ApplicationReport(key, (decision,), result, (Warned("remark", HOSTILE),))


def _plan(key: ApplicationKey, alias: str, constraint: str) -> ImagePlan:
    rule = TagRule(Strategy.SEMVER, constraint)
    return ImagePlan(key, alias, alias, REPOSITORY, rule, HelmTarget(), ImageReference(REPOSITORY, "1.0.0"))
