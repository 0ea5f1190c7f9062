"""The block ``writeBackConfig``: method, Git settings and pull requests (``runtime.md`` 9.3, ``write-back.md`` 1)."""

from __future__ import annotations

import re

from updater.errors import PlanError
from updater.model.pull_requests import ForgeProvider, PullRequestMode
from updater.planning import annotation_keys as keys
from updater.planning.documents import PullRequest, WriteBackConfig
from updater.planning.documents_fields import Fields
from updater.planning.pull_requests import MAX_LABEL, MAX_LABELS
from updater.planning.write_back import Method, WriteBackMethod, forced_kind, parse_write_back_method

_PROVIDERS = tuple(provider.value for provider in ForgeProvider)
_MODES = tuple(mode.value for mode in PullRequestMode)
_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def read_write_back(outer: Fields) -> WriteBackConfig:
    """The block of a specification or a rule; blank texts are not set, as in annotations."""
    block = outer.block("writeBackConfig", ("method", "gitConfig"))
    if block is None:
        return WriteBackConfig()
    method = block.text("method") or None
    if method:
        try:
            parse_write_back_method(method)
        except PlanError as problem:
            block.complain("method", str(problem))
    git = block.block("gitConfig", ("repository", "branch", "writeBackTarget", "pullRequest"))
    if git is None:
        return WriteBackConfig(method)
    return WriteBackConfig(
        method=method,
        repository=git.text("repository") or None,
        branch=_read_branch(git),
        target=_read_target(git),
        pull_request=_read_pull_request(git),
    )


def check_branch(owner: Fields, merged: WriteBackConfig) -> None:
    """Complain about a write branch beside pull requests, which name their branches themselves."""
    if merged.pull_request is not None and ":" in _ACTION.sub("", merged.branch or ""):
        owner.complain("writeBackConfig.gitConfig.branch", "expected only the base branch beside pullRequest")


def _read_branch(git: Fields) -> str | None:
    text = git.text("branch") or None
    colons = _ACTION.sub("", text or "").count(":")
    if colons > 1 or text == ":":
        git.complain("branch", "expected <base> or <base>:<write branch>")
    return text


def _read_target(git: Fields) -> str | None:
    text = git.text("writeBackTarget") or None
    try:
        forced_kind({keys.WRITE_BACK_TARGET: text or ""}, WriteBackMethod(Method.GIT))
    except PlanError as problem:
        git.complain("writeBackTarget", str(problem))
    return text


def _read_pull_request(git: Fields) -> PullRequest | None:
    block = git.block("pullRequest", (*_PROVIDERS, "labels", "mode"))
    if block is None:
        return None
    named = [provider for provider in _PROVIDERS if block.block(provider, ()) is not None]
    labels = block.texts("labels") or ()
    mode = block.text("mode") or ""
    if len(named) != 1:
        block.complain("", f"expected exactly one of {', '.join(_PROVIDERS)}, written as 'github: {{}}'")
    if len(labels) > MAX_LABELS:
        block.complain("labels", f"expected at most {MAX_LABELS} labels")
    if any(len(label) > MAX_LABEL or not label.isprintable() for label in labels):
        block.complain("labels", f"expected labels on one line, of at most {MAX_LABEL} characters")
    if mode not in ("", *_MODES):
        block.complain("mode", f"expected {' or '.join(_MODES)}")
    return PullRequest(named[0] if named else "", tuple(dict.fromkeys(labels)), mode)
