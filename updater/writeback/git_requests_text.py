"""Title and body of a request: from the commit message, or from the operator's templates (``write-back.md`` 6.3). Pure.

The last line of every body names the Applications. It tells people why the request is there, and us which requests
are superseded: nothing else says whose a branch was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from updater.errors import ConfigurationError, PlanError
from updater.manifests.messages import DEFAULT_BATCH_SUBJECT
from updater.manifests.template_data import (
    TemplateChange,
    change_digest,
    quoted_changes,
    shows_labels,
    target_key,
    template_changes,
)
from updater.manifests.templates.evaluator import read_template, render_template
from updater.manifests.templates.functions import CORE, TemplateFunction
from updater.manifests.templates.syntax import Template
from updater.manifests.templates.values import Record
from updater.ports.forge import RequestText
from updater.writeback.git_intents import GitIntent
from updater.writeback.git_messages import commit_message
from updater.writeback.git_requests_plain import plain_body, plain_title

_OPENED = "Opened by Argo CD Image Updater for"
_FOR = re.compile(rf"^{_OPENED} (?P<names>\S+(?:, \S+)*)\.$", re.MULTILINE)
_MOST_NAMED = 20
"""Applications that the last line names one by one; of more it says how many, and nothing of it is superseded."""
_DEFAULT_BASE = "HEAD"


@dataclass(frozen=True, slots=True)
class RequestTemplates:
    """The operator's templates, None for what the commit message says. ``functions`` are those of all templates."""

    title: Template | None = None
    body: Template | None = None
    functions: Mapping[str, TemplateFunction] = field(default_factory=lambda: CORE, repr=False)
    subject: str = DEFAULT_BATCH_SUBJECT

    @property
    def show_labels(self) -> bool:
        """Whether one of them mentions labels of images."""
        return any(template is not None and shows_labels(template) for template in (self.title, self.body))


@dataclass(frozen=True, slots=True)
class Written:
    """A text, and why a template gave none of it, empty when both did."""

    text: RequestText
    fallback_reason: str = ""


def parse_request_template(text: str, flag: str, functions: Mapping[str, TemplateFunction] = CORE) -> Template | None:
    """A template of the operator, None for a blank text; raises ``ConfigurationError`` ``template_parse``."""
    if not text.strip():
        return None
    try:
        return read_template(text, functions)
    except PlanError as error:
        raise ConfigurationError(error.what, where=f"{flag}: {error.where}", code="template_parse") from error


def request_text(intents: Sequence[GitIntent], templates: RequestTemplates) -> Written:
    """The text of a request that carries the changes of these intents."""
    title = commit_message(intents, templates.subject, _title_words).partition("\n")[0]
    body = commit_message(intents, templates.subject, _body_words).partition("\n")[2]
    if not any(intent.message.strip() for intent in intents):
        names = ", ".join(application_names(intents))
        title, body = f"chore: update images for {names}", f"Argo CD Image Updater found newer images for {names}."
    reasons: list[str] = []
    changes = request_changes(intents)
    for_title = _data(intents, quoted_changes(changes, plain_title))
    for_body = _data(intents, quoted_changes(changes, plain_body))
    title = _rendered(templates.title, for_title, templates, reasons) or title
    body = _rendered(templates.body, for_body, templates, reasons) or body
    ending = _ending(application_names(intents))
    full = f"{body.strip()}\n\n{ending}" if body.strip() else ending
    return Written(RequestText(" ".join(title.split()), full), "; ".join(reasons))


def application_names(intents: Sequence[GitIntent]) -> tuple[str, ...]:
    """The Applications of the intents, sorted, each once."""
    keys = sorted({intent.change_set.application for intent in intents})
    return tuple(f"{key.namespace}/{key.name}" for key in keys)


def named_applications(body: str) -> frozenset[str]:
    """The Applications that the body of a request of ours names, empty when it names none."""
    found = _FOR.findall(body)
    return frozenset(found[-1].split(", ")) if found else frozenset()


def request_changes(intents: Sequence[GitIntent]) -> tuple[TemplateChange, ...]:
    """The changes of all intents, equal ones once, in their order; with labels, if some of them know them."""
    changes = (change for intent in intents for change in template_changes(intent.change_set.images))
    found: dict[tuple[str, str, str, str], TemplateChange] = {}
    for change in changes:
        key = (change.name, change.alias, change.old_tag, change.new_tag)
        if key not in found or not found[key].labels:
            found[key] = change
    return tuple(found.values())


def _ending(names: Sequence[str]) -> str:
    if len(names) > _MOST_NAMED:
        return f"{_OPENED} {len(names)} Applications."
    return f"{_OPENED} {', '.join(names)}."


def _title_words(intent: GitIntent) -> str:
    return intent.quoted.title if intent.quoted else intent.message


def _body_words(intent: GitIntent) -> str:
    return intent.quoted.body if intent.quoted else intent.message


def _rendered(template: Template | None, data: Record, templates: RequestTemplates, reasons: list[str]) -> str:
    if template is None:
        return ""
    try:
        text = render_template(template, data, templates.functions).strip()
    except PlanError as error:
        reasons.append(str(error))
        return ""
    if not text:
        reasons.append("a template printed nothing")
    return text


def _data(intents: Sequence[GitIntent], changes: Sequence[TemplateChange]) -> Record:
    """The variables of branches and of commit messages, and all Applications by name."""
    target, first = intents[0].target, intents[0].change_set.application
    return Record(
        {
            "AppName": first.name,
            "AppNamespace": first.namespace,
            "Applications": application_names(intents),
            "AppChanges": tuple(change.for_messages() for change in changes),
            "Images": tuple(change.for_branches() for change in changes),
            "SHA256": change_digest(changes),
            "TargetKey": target_key(target.remote.key, target.revision or _DEFAULT_BASE, target.path),
        }
    )
