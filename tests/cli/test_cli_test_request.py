"""From an argument and flags to a rule, and from a registry's answers to an outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from updater.assembly.registries import build_registry_under_test
from updater.cli.test_outcome import TagOutcome, TagTest
from updater.cli.test_request import make_request, parse_image
from updater.clock import Deadline, SystemClock
from updater.errors import ConfigurationError, RegistryUnavailable
from updater.model.images import Candidate, Inspection, Loss, Reason, Strategy, TagList
from updater.model.references import ImageRepository
from updater.model.report import Warned
from updater.ports.log import NullLog
from updater.ports.progress import NoProgress
from updater.settings.parts import RegistrySettings, TagTestSettings

MACHINE = "linux/amd64"


@pytest.mark.parametrize(
    ("text", "reference", "alias"),
    [
        pytest.param("nginx", "nginx", "", id="Docker Hub"),
        pytest.param("docker.io/library/nginx:1.25", "docker.io/nginx:1.25", "", id="its long name"),
        pytest.param("quay.io/acme/web:1.0", "quay.io/acme/web:1.0", "", id="tag"),
        pytest.param("web=quay.io/acme/web", "quay.io/acme/web", "web", id="alias"),
        pytest.param("localhost:5000/web:1.0", "localhost:5000/web:1.0", "", id="port"),
        pytest.param(f"quay.io/web:1@sha256:{'a' * 64}", f"quay.io/web:1@sha256:{'a' * 64}", "", id="digest"),
        pytest.param(" quay.io/web ", "quay.io/web", "", id="blanks around it"),
    ],
)
def test_an_image_is_read_as_in_an_image_list(text: str, reference: str, alias: str) -> None:
    image = parse_image(text)
    assert (image.reference.full_reference, image.alias) == (reference, alias)


@pytest.mark.parametrize("text", ["", "=", "a b", "quay.io/Web", "quay.io/web:1:2", "quay.io/web@sha256:12", "a,b"])
def test_what_is_no_image_is_refused_without_the_word_of_another_place(text: str) -> None:
    with pytest.raises(ConfigurationError, match="could not parse the image") as caught:
        parse_image(text)
    assert caught.value.code == "invalid_reference"
    assert "image-list" not in str(caught.value)


def test_the_rule_holds_what_the_flags_say() -> None:
    asked = TagTestSettings("digest", "edge", "regexp:^e", ("x*",), ("windows/amd64",))
    rule = make_request(parse_image("nginx:1.0"), asked, MACHINE).rule.rule
    assert (rule.strategy, rule.constraint, rule.allow_tags, rule.ignore_tags, rule.platforms) == (
        Strategy.DIGEST,
        "edge",
        "regexp:^e",
        ("x*",),
        ("windows/amd64",),
    )


def test_the_platform_is_that_of_the_machine_unless_one_is_named() -> None:
    assert make_request(parse_image("nginx"), TagTestSettings(), MACHINE).rule.rule.platforms == (MACHINE,)


def test_strategies_are_read_in_any_letter_case() -> None:
    request = make_request(parse_image("nginx"), TagTestSettings("Newest-Build"), MACHINE)
    assert (request.rule.rule.strategy, request.warnings) == (Strategy.NEWEST_BUILD, ())


def warnings(asked: TagTestSettings, machine: str = MACHINE) -> tuple[Warned, ...]:
    return make_request(parse_image("nginx"), asked, machine).warnings


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        pytest.param(TagTestSettings("latest"), "deprecated_strategy", id="alias"),
        pytest.param(TagTestSettings("oldest"), "strategy_unknown", id="unknown"),
        pytest.param(TagTestSettings("newest-build", "1.x"), "constraint_ignored", id="constraint"),
        pytest.param(TagTestSettings(platforms=("plan9/amd64",)), "platform_unusual", id="system"),
        pytest.param(TagTestSettings(allow_tags="^1"), "allow_tags_invalid", id="no function"),
        pytest.param(TagTestSettings(ignore_tags=("[",)), "ignore_tags_invalid", id="malformed glob"),
    ],
)
def test_what_does_not_stop_it_warns(asked: TagTestSettings, kind: str) -> None:
    assert [warned.kind for warned in warnings(asked)] == [kind]


def test_a_workstation_is_warned_of_its_own_platform() -> None:
    (warned,) = warnings(TagTestSettings(), "darwin/arm64")
    assert "--platforms" in warned.text


class Shelf:
    """A registry in memory: ``gone`` are tags that were deleted between the listing and the inspection."""

    def __init__(self, tags: Sequence[str], *, gone: Sequence[str] = (), fails_at: str = "") -> None:
        self._tags = tuple(tags)
        self._gone = frozenset(gone)
        self._fails_at = fails_at
        self.inspected: list[tuple[str, ...]] = []
        self.inspections: list[Inspection] = []
        self.credentials: list[str] = []

    def fetch_tags(self, repository: ImageRepository, deadline: Deadline, *, pull_secret: str = "") -> TagList:
        self.credentials.append(pull_secret)
        return TagList(repository, self._tags)

    def fetch_candidates(
        self,
        repository: ImageRepository,
        tags: Sequence[str],
        inspection: Inspection,
        deadline: Deadline,
        *,
        pull_secret: str = "",
    ) -> tuple[Candidate, ...]:
        self.credentials.append(pull_secret)
        self.inspected.append(tuple(tags))
        self.inspections.append(inspection)
        if self._fails_at in tags:
            raise RegistryUnavailable("no", where="here")
        return tuple(self._candidate(tag) for tag in tags if tag not in self._gone)

    def _candidate(self, tag: str) -> Candidate:
        loss = Loss.PLATFORM_MISSING if tag.startswith("arm-") else None
        return Candidate(tag, len(tag), f"sha256:{tag}", loss)


class Steps:
    """Notes what a progress bar would show."""

    def __init__(self) -> None:
        self.total = 0
        self.done = 0
        self.ends = 0

    def started(self, total: int) -> None:
        self.total += total

    def polled(self) -> None: ...

    def advanced(self, key: str) -> None:
        self.done += 1

    def finished(self) -> None:
        self.ends += 1


def run(shelf: Shelf, asked: TagTestSettings, *, image: str = "nginx", steps: Steps | None = None) -> TagOutcome:
    test = TagTest(shelf, SystemClock(), steps or NoProgress(), asked.credentials)
    return test.run(make_request(parse_image(image), asked, MACHINE))


NEWEST = TagTestSettings("newest-build")


def test_only_what_the_strategy_needs_is_asked() -> None:
    shelf = Shelf(("1.0", "1.1"))
    outcome = run(shelf, TagTestSettings(credentials="env:A"))
    assert (shelf.inspected, shelf.credentials) == ([], ["env:A"])
    assert outcome.latest
    assert outcome.latest.full_reference == "nginx:1.1"
    shelf = Shelf(("a", "bb", "x"))
    run(shelf, TagTestSettings("newest-build", ignore_tags=("x",), credentials="env:A"))
    assert (shelf.inspected, shelf.credentials) == ([("a", "bb")], ["env:A", "env:A"])
    assert shelf.inspections == [Inspection((MACHINE,), wants_created=True)]
    shelf = Shelf(())
    run(shelf, TagTestSettings("digest", "edge"))
    assert (shelf.inspected, shelf.inspections) == ([("edge",)], [Inspection((MACHINE,), wants_created=False)])


def test_progress_covers_every_tag_that_is_inspected() -> None:
    steps = Steps()
    shelf = Shelf([f"t{number:03}" for number in range(150)])
    run(shelf, NEWEST, steps=steps)
    assert (steps.total, steps.done, steps.ends) == (150, 150, 1)
    assert [tag for tags in shelf.inspected for tag in tags] == [f"t{number:03}" for number in range(150)]
    assert len(shelf.inspected) > 1


def test_a_failure_ends_the_progress_and_the_test() -> None:
    steps = Steps()
    with pytest.raises(RegistryUnavailable):
        run(Shelf([f"t{number:03}" for number in range(150)], fails_at="t100"), NEWEST, steps=steps)
    assert steps.ends == 1
    assert steps.done < 150


def test_counted_are_the_tags_after_filters_and_platforms() -> None:
    shelf = Shelf(("a", "bb", "arm-ccc", "gone", "x1"), gone=("gone",))
    outcome = run(shelf, TagTestSettings("newest-build", ignore_tags=("x*",)))
    assert (outcome.listed, outcome.remaining) == (5, 2)
    assert outcome.choice.winner
    assert outcome.choice.winner.tag == "bb"
    assert "gone" not in dict(outcome.choice.losses)


@pytest.mark.parametrize(
    ("image", "asked", "latest"),
    [
        pytest.param("nginx:1.0", TagTestSettings(), "nginx:1.0", id="the registry lists nothing"),
        pytest.param("nginx", TagTestSettings(), None, id="nothing, and no tag in the argument"),
        pytest.param("nginx:edge", TagTestSettings("digest"), "nginx:edge", id="the tag to follow is not there"),
    ],
)
def test_without_tags_the_current_image_stays(image: str, asked: TagTestSettings, latest: str | None) -> None:
    outcome = run(Shelf((), gone=("edge",)), asked, image=image)
    assert (outcome.latest.full_reference if outcome.latest else None) == latest
    assert outcome.choice.none_because is Reason.NO_TAGS


def test_a_tag_to_follow_that_is_filtered_out_says_so() -> None:
    outcome = run(Shelf(()), TagTestSettings("digest", "edge", ignore_tags=("e*",)))
    assert outcome.choice.losses == (("edge", Loss.IGNORED),)
    assert outcome.remaining == 0


Written = Callable[[str], str]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str) -> str:
        path = tmp_path / "registries.conf"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


CONF = "registries:\n- name: mine\n  prefix: reg.test\n  api_url: https://api.reg.test\n  limit: 7\n"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        pytest.param("reg.test/web", "https://api.reg.test", id="configured"),
        pytest.param("other.test/web", "https://other.test", id="inferred"),
        pytest.param("nginx", "https://registry-1.docker.io", id="the default"),
    ],
)
@pytest.mark.parametrize("wanted", [0, 3])
def test_the_rate_limit_replaces_that_of_the_endpoint_in_use(
    written: Written, name: str, url: str, wanted: int
) -> None:
    repository = parse_image(name).reference.repository
    settings = RegistrySettings(conf_path=written(CONF))
    plain = build_registry_under_test(settings, repository, {}, NullLog())
    limited = build_registry_under_test(settings, repository, {}, NullLog(), requests_per_s=wanted)
    assert plain.remote.endpoint.api_url == limited.remote.endpoint.api_url == url
    assert plain.remote.endpoint.requests_per_s not in (0, 3)
    assert limited.client._endpoints.locate(repository).endpoint.requests_per_s == wanted
    for registry in (plain, limited):
        registry.close()


def test_the_file_of_a_standard_deployment_is_read_if_it_is_there(written: Written, tmp_path: Path) -> None:
    repository = parse_image("reg.test/web").reference.repository
    for default, url in ((written(CONF), "https://api.reg.test"), (str(tmp_path / "none"), "https://reg.test")):
        registry = build_registry_under_test(RegistrySettings(), repository, {}, NullLog(), default_path=default)
        assert registry.remote.endpoint.api_url == url
        registry.close()


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    repository = parse_image("nginx").reference.repository
    with pytest.raises(ConfigurationError, match="Could not load registry configuration from") as caught:
        build_registry_under_test(RegistrySettings(conf_path=str(tmp_path)), repository, {}, NullLog())
    assert caught.value.code == "registries_invalid"
