"""Changes become branches of a real repository and requests of a forge, through everything that ``run`` is built of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.contract.forge.conftest import CASES, Case
from tests.contract.forge.fakes.server import Asked, ForgeServer, Reply
from tests.contract.forge.fakes.world import TOKEN, USER, Branches, World
from tests.contract.forge.smart_http import SmartHttp
from updater.assembly.git import GitParts, build_git
from updater.assembly.surroundings import Surroundings
from updater.clock import Deadline, SystemClock
from updater.errors import ConfigurationError
from updater.manifests.values_file import ValueWrite
from updater.model.applications import ApplicationKey, ApplicationSnapshot, SourceKind, SourceSnapshot
from updater.model.changes import ChangeSet, ImageChange, SourceChoice, WriteBackResult, WriteOutcome
from updater.model.git_remotes import parse_git_remote
from updater.model.images import HelmTarget
from updater.planning.git_settings import GitScope, read_git_settings
from updater.planning.write_back import Method, WriteBackMethod
from updater.playground.git_remote import BareRepository
from updater.ports.log import NullLog
from updater.settings.git_parts import GitRetrySettings, GitWriteSettings, RequestSettings
from updater.telemetry.metrics import PrometheusMetrics
from updater.writeback.git_intents import GitIntent, values_editor
from updater.writeback.git_making import GitWish, make_intent

pytestmark = pytest.mark.wire

_VALUES = "image:\n  name: shop\n  tag: 1.0.0\n"
_PATH = "apps/shop/values.yaml"
_QUICK = ("gitlab", "github")
"""Not left to the slow run, and with a token that git sends by itself: asking for a password takes a process."""
_BY_WORD = {case.provider.value: case for case in CASES}


class Records(NullLog):
    """Every record with its fields."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str, dict[str, object]]] = []

    def debug(self, event: str, /, **fields: object) -> None:
        self.all.append(("debug", event, fields))

    def info(self, event: str, /, **fields: object) -> None:
        self.all.append(("info", event, fields))

    def warning(self, event: str, /, **fields: object) -> None:
        self.all.append(("warning", event, fields))

    def error(self, event: str, /, *, exception: BaseException | None = None, **fields: object) -> None:
        self.all.append(("error", event, fields))

    def bind(self, **fields: object) -> Records:
        return self

    def of(self, event: str) -> list[dict[str, object]]:
        return [fields for _, name, fields in self.all if name == event]

    def levels(self, event: str) -> list[str]:
        return [level for level, name, _ in self.all if name == event]


@dataclass
class Place:
    """A forge with a real repository, and an updater that knows its token."""

    case: Case
    server: ForgeServer
    repository: BareRepository
    git: SmartHttp
    log: Records = field(default_factory=Records)
    metrics: PrometheusMetrics = field(default_factory=PrometheusMetrics)
    parts: list[GitParts] = field(default_factory=list)
    is_bearer: bool = False

    @property
    def world(self) -> World:
        return self.server.forge.world

    def build(self, login: Mapping[str, str] | None = None, **requests: object) -> GitParts:
        urls = () if self.case.api is None else (f"{self.case.provider.value}={self.server.url}{self.case.api}",)
        settings = GitWriteSettings(
            allows_http=True,
            retry=GitRetrySettings(base_s=0.01, cap_s=0.02),
            requests=replace(RequestSettings(api_urls=urls), **requests),  # type: ignore[arg-type]
        )
        usual = {"GIT_BEARER_TOKEN": TOKEN} if self.is_bearer else {"GIT_USERNAME": USER, "GIT_PASSWORD": TOKEN}
        environment = {"GIT_CREDENTIALS_HOST": "127.0.0.1", **(login or usual)}
        around = Surroundings(environment, SystemClock(), self.log, self.metrics)
        parts = build_git(settings, around, threading.Event(), writers=2)
        self.parts.append(parts)
        return parts

    def intent(self, tag: str, app: str = "shop", **own: str) -> GitIntent:
        source = SourceSnapshot(f"{self.server.url}/{self.case.path}", "apps/shop", target_revision="main")
        snapshot = ApplicationSnapshot(ApplicationKey("argocd", app), sources=(source,))
        names = {"write-back-target": "helmvalues", "git-pull-request": self.case.provider.value, **own}
        settings = read_git_settings(snapshot, names, WriteBackMethod(Method.GIT), 0, GitScope())
        change = ImageChange(app, f"example/{app}", "1.0.0", tag)
        change_set = ChangeSet(snapshot.key, "default", SourceChoice(SourceKind.HELM), (), (change,))
        made = make_intent(GitWish(change_set, settings, source, ()), self.parts[-1].intents)
        return replace(made, edit=values_editor([ValueWrite(HelmTarget().tag, tag)]))

    def write(self, *intents: GitIntent, dry_run: bool = False) -> list[WriteBackResult]:
        deadline = Deadline.after(SystemClock(), 50)
        return list(self.parts[-1].write_back.write_all(intents, dry_run=dry_run, deadline=deadline))

    def round(self, tag: str, app: str = "shop", **own: str) -> WriteBackResult:
        return self.write(self.intent(tag, app, **own))[0]


@pytest.fixture
def make_place(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    made: list[Place] = []

    def make(word: str, *, is_bearer: bool = False) -> Place:
        case = _BY_WORD[word]
        repository = BareRepository(tmp_path / case.path)
        repository.commit({_PATH: _VALUES}, message="begin")
        git = SmartHttp(tmp_path)
        server = ForgeServer(case.fake(World(owner=case.owner, branches=Branches(repository))), git)
        made.append(Place(case, server, repository, git, is_bearer=is_bearer))
        made[-1].build()
        return made[-1]

    yield make
    for place in made:
        for parts in place.parts:
            parts.close()
        place.server.close()


@pytest.fixture
def github(make_place: Callable[..., Place]) -> Place:
    return make_place("github", is_bearer=True)


def _is_held(place: Place, tag: str, branch: str) -> bool:
    return f"tag: {tag}" in place.repository.read(_PATH, branch)


@pytest.mark.parametrize(
    "word", [word if word == _QUICK[0] else pytest.param(word, marks=pytest.mark.slow) for word in _BY_WORD]
)
def test_a_newer_version_gets_a_request_of_its_own_that_closes_the_older_one(
    make_place: Callable[..., Place], word: str
) -> None:
    place = make_place(word, is_bearer=word in _QUICK)
    first = place.round("1.1.0", **{"git-pull-request-labels": "automation"})
    (older,) = place.world.requests
    assert (first.outcome, first.error, first.warning) == (WriteOutcome.WRITTEN, "", "")
    assert first.pull_request.endswith(f"/{older.number}")
    assert first.commit == place.repository.tip(older.head)
    assert (older.base, older.title) == ("main", "build: automatic update of shop")
    assert older.body == (
        "updates image example/shop tag '1.0.0' to '1.1.0'\n\nOpened by Argo CD Image Updater for argocd/shop."
    )
    assert older.labels == (["automation"] if place.case.has_labels else [])
    assert place.repository.read(_PATH) == _VALUES

    second = place.round("1.2.0")
    newer = place.world.requests[-1]
    assert (second.outcome, newer.is_open, older.is_open) == (WriteOutcome.WRITTEN, True, False)
    assert older.comments == [f"Superseded by {second.pull_request}, which carries newer versions."]
    assert sorted(place.world.branches) == sorted(["main", newer.head])
    assert _is_held(place, "1.2.0", newer.head)


@pytest.mark.parametrize(
    "word", [word if word == _QUICK[1] else pytest.param(word, marks=pytest.mark.slow) for word in _BY_WORD]
)
def test_a_rolling_request_is_made_anew_in_its_place(make_place: Callable[..., Place], word: str) -> None:
    place = make_place(word, is_bearer=word in _QUICK)
    rolling = {"git-pull-request-mode": "rolling"}
    first = place.round("1.1.0", **rolling)
    again = place.round("1.1.0", **rolling)
    assert (first.outcome, again.outcome) == (WriteOutcome.WRITTEN, WriteOutcome.UNCHANGED)
    place.repository.commit({"other.txt": "x"}, message="somebody else")
    second = place.round("1.2.0", **rolling)
    (stored,) = place.world.requests
    assert second.outcome is WriteOutcome.WRITTEN
    assert first.pull_request == again.pull_request == second.pull_request != ""
    assert "'1.0.0' to '1.2.0'" in stored.body
    assert place.repository.messages(stored.head) == ["build: automatic update of shop", "somebody else", "begin"]
    assert place.log.of("pull_request_updated") == [{"applications": "argocd/shop", "url": second.pull_request}]


def test_an_open_request_spares_the_whole_write(github: Place) -> None:
    url = github.round("1.1.0").pull_request
    before = github.git.requests
    result = github.round("1.1.0")
    assert (result.outcome, result.pull_request) == (WriteOutcome.UNCHANGED, url)
    assert github.git.requests == before
    text = github.metrics.render().decode()
    assert 'argocd_image_updater_git_pull_requests_total{provider="github",result="opened"} 1.0' in text
    assert 'argocd_image_updater_git_pull_requests_total{provider="github",result="unchanged"} 1.0' in text
    assert 'argocd_image_updater_git_operations_total{op="pull_request",result="success"} 6.0' in text


@pytest.mark.slow
def test_a_failing_look_up_alone_is_no_trouble_and_the_write_goes_on(github: Place) -> None:
    github.server.forge.faults += [Reply(500)] * 3
    result = github.round("1.1.0")
    assert (result.outcome, len(github.world.open_ones())) == (WriteOutcome.WRITTEN, 1)
    assert github.log.levels("pull_request_lookup_failed") == ["debug"]


@pytest.mark.slow
def test_a_failing_look_up_without_a_request_after_it_is_a_warning(github: Place) -> None:
    github.round("1.1.0")
    (stored,) = github.world.requests
    github.repository.git("update-ref", "refs/heads/main", github.repository.tip(stored.head))
    stored.is_open = False
    github.server.forge.faults += [Reply(500)] * 3
    assert github.round("1.1.0").outcome is WriteOutcome.UNCHANGED
    assert github.log.levels("pull_request_lookup_failed") == ["warning"]


def test_a_push_stays_without_its_request_and_the_next_round_asks_again(github: Place) -> None:
    github.server.forge.faults += [lambda _: None, lambda _: None, *[Reply(500)] * 3]
    first = github.round("1.1.0")
    (head,) = set(github.world.branches) - {"main"}
    assert (first.outcome, first.pull_request, first.error_code) == (WriteOutcome.WRITTEN, "", "")
    assert first.warning.startswith("pr_failed: POST ")
    github.build()  # as after a crash: nothing is remembered, nothing mirrored
    second = github.round("1.1.0")
    assert (second.outcome, second.commit) == (WriteOutcome.WRITTEN, github.repository.tip(head))
    assert second.pull_request.endswith("/pull/1")
    assert github.repository.count(head) == 2


def test_a_request_that_was_taken_over_leaves_nothing_to_ask_for(github: Place) -> None:
    github.round("1.1.0")
    (stored,) = github.world.requests
    github.repository.git("update-ref", "refs/heads/main", github.repository.tip(stored.head))
    stored.is_open = False
    result = github.round("1.1.0")
    assert (result.outcome, result.pull_request) == (WriteOutcome.UNCHANGED, "")
    assert len(github.world.requests) == 1


@pytest.mark.slow
def test_a_used_up_rate_limit_is_told_once_and_asked_for_nothing_more(github: Place) -> None:
    github.server.forge.faults.append(Reply(403, {"message": "limit"}, {"X-RateLimit-Remaining": "0"}))
    results = [github.round("1.1.0", app) for app in ("shop", "cart")]
    assert [result.outcome for result in results] == [WriteOutcome.WRITTEN] * 2
    assert all(result.warning.startswith("pr_failed: ") for result in results)
    assert len(github.server.forge.asked) == 1
    assert github.log.levels("pull_request_lookup_failed") == ["debug", "debug"]
    assert github.log.levels("pull_request_failed") == ["warning", "debug"]
    assert "limit" in str(github.log.of("pull_request_failed")[0]["error"])


@pytest.mark.slow
def test_a_denied_request_is_one_warning_that_names_the_right(github: Place) -> None:
    github.world.token = "rotated-away-1"
    result = github.round("1.1.0")
    assert result.outcome is WriteOutcome.WRITTEN
    assert result.warning.startswith("pr_denied: ")
    assert TOKEN not in f"{result}{github.log.all}"
    assert [fields["code"] for fields in github.log.of("pull_request_failed")] == ["pr_denied"]
    github.round("1.1.0")
    assert github.log.levels("pull_request_failed") == ["warning", "debug"]
    assert github.log.levels("pull_request_lookup_failed") == ["debug", "debug"]
    text = github.metrics.render().decode()
    assert 'argocd_image_updater_git_operations_total{op="pull_request",result="denied"} 4.0' in text
    assert 'argocd_image_updater_git_pull_requests_total{provider="github",result="denied"} 2.0' in text


@pytest.mark.slow
def test_applications_that_share_file_and_change_share_one_request(github: Place) -> None:
    intents = [github.intent("1.1.0", app) for app in ("shop", "mirror")]
    same = [replace(each, change_set=replace(each.change_set, images=intents[0].change_set.images)) for each in intents]
    same[1] = replace(same[1], target=same[0].target)
    results = github.write(*same)
    (stored,) = github.world.requests
    assert {result.pull_request for result in results} == {results[0].pull_request}
    assert {result.commit for result in results} == {github.repository.tip(stored.head)}
    assert stored.body.endswith("Opened by Argo CD Image Updater for argocd/mirror, argocd/shop.")


def test_requests_of_other_applications_and_of_people_are_not_superseded(github: Place) -> None:
    other = github.intent("1.1.0", "other")
    github.write(other)
    prefix = other.target.write_branch[: -len("0" * 64)]
    stranger = github.world.add(f"{prefix}{'a' * 64}", body="please look")
    by_hand = github.world.add(f"{prefix}by-hand", body="Opened by Argo CD Image Updater for argocd/shop.")
    github.round("1.2.0")
    assert [each.is_open for each in github.world.requests] == [True] * 4
    assert (stranger.comments, by_hand.comments) == ([], [])


@pytest.mark.slow
def test_superseded_requests_stay_when_the_operator_says_so(github: Place) -> None:
    github.build(closes_superseded=False)
    github.round("1.1.0")
    github.round("1.2.0")
    assert [each.is_open for each in github.world.requests] == [True, True]


@pytest.mark.slow
def test_templates_of_the_operator_write_title_and_body(github: Place) -> None:
    github.build(
        title_template="deps: {{ .AppName }} ({{ len .Images }})",
        body_template="{{ range .AppChanges }}{{ .Image }} -> {{ .NewTag }}{{ end }}{{ index .Applications 0 }}",
    )
    github.round("1.1.0")
    (stored,) = github.world.requests
    assert stored.title == "deps: shop (1)"
    assert stored.body == "example/shop -> 1.1.0argocd/shop\n\nOpened by Argo CD Image Updater for argocd/shop."


@pytest.mark.slow
def test_a_template_that_fails_is_replaced_and_said(github: Place) -> None:
    github.build(title_template="{{ index .Images 7 }}")
    github.round("1.1.0")
    assert github.world.requests[0].title == "build: automatic update of shop"
    assert len(github.log.of("pull_request_text_replaced")) == 1


@pytest.mark.slow
def test_a_dry_run_of_a_rolling_request_tells_only_newer_versions(github: Place) -> None:
    rolling = {"git-pull-request-mode": "rolling"}
    url = github.round("1.1.0", **rolling).pull_request
    (same,) = github.write(github.intent("1.1.0", **rolling), dry_run=True)
    (newer,) = github.write(github.intent("1.2.0", **rolling), dry_run=True)
    assert (same.outcome, same.pull_request) == (WriteOutcome.UNCHANGED, url)
    assert newer.outcome is WriteOutcome.DRY_RUN
    github.world.requests[0].is_open = False
    (asked_again,) = github.write(github.intent("1.1.0", **rolling), dry_run=True)
    assert asked_again.outcome is WriteOutcome.DRY_RUN


def test_applications_of_one_file_that_come_one_by_one_roll_together(github: Place) -> None:
    rolling = {"git-pull-request-mode": "rolling"}
    shop = github.intent("1.1.0", "shop", **rolling)
    named = values_editor([ValueWrite(HelmTarget().name, "mirror/shop")])
    mirror = replace(github.intent("1.1.0", "mirror", **rolling), target=shop.target, edit=named)
    outcomes = [github.write(intent)[0].outcome for intent in (shop, mirror, shop, mirror)]
    (stored,) = github.world.requests
    assert outcomes == [WriteOutcome.WRITTEN] * 2 + [WriteOutcome.UNCHANGED] * 2
    assert github.repository.read(_PATH, stored.head) == "image:\n  name: mirror/shop\n  tag: 1.1.0\n"
    assert github.repository.count(stored.head) == 2
    assert stored.body.endswith("Opened by Argo CD Image Updater for argocd/mirror, argocd/shop.")
    assert stored.title == "build: automatic update of 2 applications"


def test_a_request_from_the_base_into_itself_pushes_nothing(github: Place) -> None:
    result = github.round("1.1.0", **{"git-branch": "main:main"})
    assert (result.outcome, result.error_code) == (WriteOutcome.FAILED, "pr_config_invalid")
    assert (github.repository.count(), github.world.requests) == (1, [])


def test_settings_of_no_use_end_the_start(github: Place) -> None:
    with pytest.raises(ConfigurationError) as caught:
        github.build(title_template="{{ .AppName")
    assert (caught.value.code, "--pull-request-title-template" in str(caught.value)) == ("template_parse", True)
    with pytest.raises(ConfigurationError):
        github.build(api_urls=("github=nowhere",))


@pytest.mark.slow
def test_labels_of_one_batch_are_put_together(github: Place) -> None:
    mine, other = (github.intent("1.1.0", **{"git-pull-request-labels": each}) for each in ("a,b", "b,c"))
    key = ApplicationKey("argocd", "mirror")
    github.write(mine, replace(other, change_set=replace(other.change_set, application=key)))
    assert github.world.requests[0].labels == ["a", "b", "c"]


@pytest.mark.slow
def test_a_request_that_somebody_opened_a_moment_ago_is_taken(github: Place) -> None:
    stored = []

    def rival(_: Asked) -> None:
        head = next(iter(set(github.world.branches) - {"main"}))
        stored.append(github.world.add(head))

    github.server.forge.faults += [lambda _: None, lambda _: None, rival]
    result = github.round("1.1.0")
    assert (result.outcome, len(github.world.requests)) == (WriteOutcome.WRITTEN, 1)
    assert result.pull_request.endswith(f"/{stored[0].number}")


@pytest.mark.slow
def test_an_answer_that_is_lost_after_the_request_was_opened_costs_nothing(github: Place) -> None:
    def opened_and_broken(asked: Asked) -> Reply:
        github.world.add(asked.body["head"], title=asked.body["title"], body=asked.body["body"])
        return Reply(502)

    github.server.forge.faults += [lambda _: None, lambda _: None, opened_and_broken]
    result = github.round("1.1.0", **{"git-pull-request-labels": "images"})
    (stored,) = github.world.requests
    assert (result.outcome, result.warning, stored.labels) == (WriteOutcome.WRITTEN, "", ["images"])


@pytest.mark.slow
def test_a_refused_push_opens_nothing_and_is_not_split(github: Place) -> None:
    github.repository.reject_pushes("not now")
    mine = github.intent("1.1.0")
    key = ApplicationKey("argocd", "mirror")
    edit = values_editor([ValueWrite(HelmTarget().name, "mirror/shop")])
    results = github.write(mine, replace(mine, change_set=replace(mine.change_set, application=key), edit=edit))
    assert [result.error_code for result in results] == ["push_denied", "push_denied"]
    assert (github.world.requests, github.log.of("git_batch_split")) == ([], [])


@pytest.mark.slow
def test_an_owners_branch_is_appended_to_and_keeps_its_request(github: Place) -> None:
    own = {"git-branch": "main:bump-{{ .AppName }}"}
    first = github.round("1.1.0", **own)
    second = github.round("1.2.0", **own)
    third = github.round("1.2.0", **own)
    assert [each.outcome for each in (first, second, third)] == [
        WriteOutcome.WRITTEN,
        WriteOutcome.WRITTEN,
        WriteOutcome.UNCHANGED,
    ]
    assert {each.pull_request for each in (first, second, third)} == {first.pull_request}
    assert github.repository.count("bump-shop") == 3


@pytest.mark.slow
def test_a_dry_run_says_once_that_the_forge_refuses_it(github: Place) -> None:
    github.round("1.1.0")
    github.world.token = "rotated-away-1"
    github.build()
    github.write(github.intent("1.1.0"), dry_run=True)
    assert github.log.levels("pull_request_lookup_failed") == ["warning", "debug"]


@pytest.mark.slow
def test_a_dry_run_looks_for_an_open_request_and_opens_none(github: Place) -> None:
    (result,) = github.write(github.intent("1.1.0"), dry_run=True)
    assert (result.outcome, github.server.forge.methods()) == (WriteOutcome.DRY_RUN, ["GET"])
    assert "+  tag: 1.1.0" in result.diff
    assert (github.world.requests, set(github.world.branches)) == ([], {"main"})
    url = github.round("1.1.0").pull_request
    (again,) = github.write(github.intent("1.1.0"), dry_run=True)
    assert (again.outcome, again.pull_request) == (WriteOutcome.UNCHANGED, url)


@pytest.mark.parametrize("is_dry_run", [True, False])
def test_an_ssh_key_alone_ends_it_before_anything_is_asked(github: Place, tmp_path: Path, *, is_dry_run: bool) -> None:
    key = tmp_path / "key"
    key.write_text("a key that nobody uses")
    github.build({"GIT_SSH_KEY_FILE": str(key)})
    intent = github.intent("1.1.0")
    remote = parse_git_remote("git@127.0.0.1:acme/deploy.git")
    (result,) = github.write(replace(intent, target=replace(intent.target, remote=remote)), dry_run=is_dry_run)
    assert (result.outcome, result.error_code) == (WriteOutcome.FAILED, "pr_token_missing")
    assert "scmToken" in result.error
    assert (github.server.forge.asked, github.git.requests) == ([], 0)


@pytest.mark.slow
def test_a_github_app_pushes_and_asks_with_its_installation_token(github: Place, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    (tmp_path / "app.pem").write_bytes(key.private_bytes(*form))
    login = {"GITHUB_APP_ID": "7", "GITHUB_APP_INSTALLATION_ID": "42", "GITHUB_APP_BASE_URL": github.server.forge.api}
    github.build({**login, "GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path / "app.pem")})
    assert [github.round(tag).pull_request[-7:] for tag in ("1.1.0", "1.2.0")] == ["/pull/1", "/pull/2"]
    asked = [each.path for each in github.server.forge.asked if each.path.endswith("/access_tokens")]
    assert asked == ["/api/v3/app/installations/42/access_tokens"]


@pytest.mark.slow
def test_a_token_beside_other_credentials_is_the_one_for_requests(github: Place) -> None:
    github.world.token = "of-the-api-only-1"
    github.build({"GIT_BEARER_TOKEN": TOKEN, "GIT_SCM_TOKEN": github.world.token})
    assert github.round("1.1.0").pull_request.endswith("/pull/1")
