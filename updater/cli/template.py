"""``template``: a commit message template, rendered with sample data (``runtime.md`` 1.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from updater.errors import ConfigurationError
from updater.manifests.messages import SAMPLE_APPLICATION, SAMPLE_CHANGES, parse_message_template, render_message
from updater.manifests.templates.functions import CORE, EXTENDED
from updater.settings.arguments import parse_arguments
from updater.settings.model import Platform
from updater.settings.resolution import resolve
from updater.settings.table import options_of
from updater.settings.template_files import read_template_file


def print_template(words: Sequence[str], environment: Mapping[str, str]) -> int:
    """Print the message that the template of a file gives, or the built-in one; the exit status is 0.

    Raises ``ConfigurationError`` for a file that cannot be read, a template that does not parse, and one that gives
    no message: ``run`` would put a plain text in its place.
    """
    arguments = parse_arguments(words, options_of("template"))
    if arguments.wants_help:
        from updater.cli.help import print_help  # noqa: PLC0415 - only help needs click

        return print_help(("template",))
    if len(arguments.words) > 1:
        found = f"{len(arguments.words)} arguments were given"
        raise ConfigurationError(f"at most one template can be shown: {found}", code="bad_argument")
    settings = resolve("template", arguments, environment, platform=Platform()).settings
    functions = EXTENDED if settings.text("git_template_functions") == "extended" else CORE
    path = arguments.words[0] if arguments.words else ""
    template = parse_message_template(read_template_file(path) if path else None, functions)
    message = render_message(template, SAMPLE_APPLICATION, SAMPLE_CHANGES, functions)
    if message.fallback_reason:
        raise ConfigurationError(
            f"the template gives no message: {message.fallback_reason}", where=path, code="template_exec"
        )
    print(message.text)  # noqa: T201 - this is the result
    return 0
