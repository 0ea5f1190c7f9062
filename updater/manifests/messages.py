"""Commit messages: rendered from the operator's template, cleaned as git cleans them, joined for a batch.

Source: ``write-back.md`` 1.6 and 5.4. A message never stops a commit: what cannot be rendered has a plain substitute.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from updater.errors import ConfigurationError, PlanError
from updater.manifests.template_data import TemplateChange
from updater.manifests.templates.evaluator import read_template, render_template
from updater.manifests.templates.functions import CORE, TemplateFunction
from updater.manifests.templates.syntax import Template
from updater.manifests.templates.values import Record
from updater.model.applications import ApplicationKey

DEFAULT_TEMPLATE = """\
build: automatic update of {{ .AppName }}

{{ range .AppChanges -}}
updates image {{ .Image }} tag '{{ .OldTag }}' to '{{ .NewTag }}'
{{ end -}}
"""
DEFAULT_BATCH_SUBJECT = "build: automatic update of {N} applications"
"""``--git-batch-subject``; ``{N}`` is the number of Applications."""

SAMPLE_APPLICATION = "example-app"
SAMPLE_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "org.opencontainers.image.revision": "4f9ac1b2d3e4f5061728394a5b6c7d8e9fa0b1c2",
        "org.opencontainers.image.source": "https://git.example.com/example/example",
        "org.opencontainers.image.version": "1.0.1",
    }
)
"""Those of the first image. The second has none, as happens: a template has to do without."""
SAMPLE_CHANGES = (
    TemplateChange("example/example", "", "1.0.0", "1.0.1", SAMPLE_LABELS),
    TemplateChange(
        "example/updater",
        "",
        "sha256:01d09d19c2139a46aebfb577780d123d7396e97201bc7ead210a2ebff8239dee",
        "sha256:7aa7a5359173d05b63cfd682e3c38487f3cb4f7f1d60659fe59fab1505977d4c",
    ),
)
"""What the ``template`` command renders."""

MAX_MESSAGE = 200_000
"""Characters of one commit's message. A batch may be of a thousand Applications, each with all labels of its images; a
commit of megabytes is one that servers refuse, and that whoever reads the branch has to read."""
_CUT = "\n\n(The rest of the message was cut off.)\n"
_NUMBER = "{N}"
_BLANKS = " \t\r\f\v"
_EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class CommitMessage:
    """A message. ``fallback_reason`` says why the configured template gave none, empty when it did."""

    text: str
    fallback_reason: str = ""

    @property
    def cleaned(self) -> str:
        """The text that git stores."""
        return clean_message(self.text)


def parse_message_template(text: str | None, functions: Mapping[str, TemplateFunction] = CORE) -> Template:
    """The operator's template; the default when there is none or a blank one.

    Raises ``ConfigurationError`` (``template_parse``), which ends the start.
    """
    try:
        return read_template(text if text and text.strip() else DEFAULT_TEMPLATE, functions)
    except PlanError as error:
        what = f"could not parse commit message template: {error.what}"
        raise ConfigurationError(what, where=error.where, code="template_parse") from error


def render_message(
    template: Template,
    application: str,
    changes: Sequence[TemplateChange],
    functions: Mapping[str, TemplateFunction] = CORE,
) -> CommitMessage:
    """The message for one Application; never raises for anything the template does."""
    try:
        text = render_template(template, _data(application, changes), functions)
    except PlanError as error:
        return CommitMessage(f"build: update of application {application}", str(error))
    if text.strip():
        return CommitMessage(text)
    default = render_template(read_template(DEFAULT_TEMPLATE), _data(application, changes))
    return CommitMessage(default, "the template printed nothing")


def _data(application: str, changes: Sequence[TemplateChange]) -> Record:
    return Record({"AppName": application, "AppChanges": tuple(change.for_messages() for change in changes)})


def batch_message(messages: Iterable[tuple[ApplicationKey, str]], subject: str = DEFAULT_BATCH_SUBJECT) -> str:
    """One message for the Applications of a batch, sorted by namespace and name; that of a single one is its own.

    A very long one is cut.
    """
    texts = [clean_message(text) for _, text in sorted(messages)]
    if len(texts) == 1:
        return _fitted(texts[0])
    return _fitted("\n".join((f"{subject.replace(_NUMBER, str(len(texts)))}\n", *texts)))


def _fitted(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - len(_CUT)].rstrip() + _CUT


def clean_message(text: str) -> str:
    """The text after git's cleanup mode *whitespace* (git-commit(1)): lines that begin with a hash stay."""
    text = "\n".join(line.rstrip(_BLANKS) for line in text.split("\n")).strip("\n")
    return _EMPTY_LINES.sub("\n\n", text) + "\n" if text else ""
