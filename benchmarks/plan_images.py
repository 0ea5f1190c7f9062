"""Planning and deciding 100,000 images of 50,000 Applications over 4,000 distinct choices."""

from __future__ import annotations

from benchmarks.measuring import cost_of, memory_of, show
from updater.model.applications import (
    ANNOTATION_PREFIX,
    ApplicationKey,
    ApplicationSnapshot,
    HelmParameter,
    SourceLayout,
    SourceSnapshot,
)
from updater.model.images import Choice, Decision, ImagePlan, Reason, TagRule
from updater.model.references import ImageRepository
from updater.planning.memory import PlanMemory
from updater.planning.plans import PlanOptions, plan_application
from updater.rules.decisions import decide

APPLICATIONS = 50_000
REPOSITORIES = 2_000
ROUNDS = 5
TAGS = tuple(f"1.{minor}.{patch}" for minor in range(20) for patch in range(25))


def main() -> None:
    fleet = [_application(number) for number in range(APPLICATIONS)]
    costs = [cost_of(lambda: _decide_all(fleet)) for _ in range(ROUNDS)]
    decisions = _decide_all(fleet)
    memory = memory_of(lambda: _decide_all(fleet))
    choices = {(decision.plan.repository, decision.plan.rule) for decision in decisions}
    updates = sum(decision.reason is Reason.UPDATE for decision in decisions)
    print(f"plan_images: {len(decisions)} images, {len(choices)} distinct choices, {updates} updates")
    show("plan, choose and decide, CPU", [cost.cpu_s for cost in costs], "s")
    show("memory, all plans and decisions held", [memory.kept_bytes / 1024**2], "MiB")


def _decide_all(fleet: list[ApplicationSnapshot]) -> list[Decision]:
    memory, options = PlanMemory(), PlanOptions()
    choices: dict[tuple[ImageRepository, TagRule], Choice] = {}
    plans = [image for application in fleet for image in plan_application(application, options, memory).images]
    return [decide(plan, _choice(plan, choices, memory)) for plan in plans]


def _choice(plan: ImagePlan, choices: dict[tuple[ImageRepository, TagRule], Choice], memory: PlanMemory) -> Choice:
    """One per repository and rule, as a round makes them."""
    key = plan.repository, plan.rule
    choice = choices.get(key)
    if choice is None:
        choice = choices[key] = memory.selector.choose_by_name(plan.rule, TAGS)
    return choice


def _application(number: int) -> ApplicationSnapshot:
    image = f"registry.example.com/team{number % 50}/svc{number % REPOSITORIES}"
    annotations = {
        "image-list": f"app={image}:~1.{number % 2}, side={image}-side:~1",
        "app.helm.image-name": "app.name",
        "app.helm.image-tag": "app.tag",
        "side.helm.image-name": "side.name",
        "side.helm.image-tag": "side.tag",
    }
    parameters = (HelmParameter("app.name", image, force_string=True), HelmParameter("app.tag", "1.0.0", True))
    return ApplicationSnapshot(
        key=ApplicationKey("argocd", f"app-{number}"),
        project="default",
        annotations={ANNOTATION_PREFIX + key: value for key, value in annotations.items()},
        layout=SourceLayout.SINGLE,
        sources=(SourceSnapshot(helm_parameters=parameters),),
        source_type="Helm",
        live_images=(f"{image}:1.0.0", f"{image}-side:1.19.24"),
    )


if __name__ == "__main__":
    main()
