"""Whether a running image already is what was chosen (``images-and-strategies.md`` 4.4; several containers: 3.3)."""

from __future__ import annotations

from collections.abc import Sequence

from updater.model.images import ImagePlan, KustomizeTarget, Strategy
from updater.model.references import ImageReference


def needs_update(strategy: Strategy, current: ImageReference, latest: ImageReference) -> bool:
    """Whether tag and digest of the running image differ from the latest ones, as the strategy compares them.

    A digest on either side decides alone; otherwise tags are compared as text, so ``1.0`` and ``1.0.0`` differ.
    """
    if strategy is Strategy.DIGEST and not current.digest:
        return True
    if current.digest or latest.digest:
        return current.digest != latest.digest
    return current.tag != latest.tag


def is_moved(plan: ImagePlan, current: ImageReference) -> bool:
    """Whether ``kustomize.image-name`` asks for another registry or name than the one that runs."""
    has_name = isinstance(plan.target, KustomizeTarget) and bool(plan.target.image_name)
    return has_name and current.repository != plan.repository


def pick_for_digest(running: Sequence[ImageReference], tag: str, newest_digest: str) -> int | None:
    """Which of several running references of one image the digest strategy judges; None keeps the first match.

    The one with the followed tag and an old digest, else the one with the followed tag, else one with an old digest.
    """
    followed = [index for index, reference in enumerate(running) if reference.tag == tag]
    outdated = [index for index, reference in enumerate(running) if reference.digest not in ("", newest_digest)]
    both = [index for index in followed if index in outdated]
    return next(iter(both + followed + outdated), None)
