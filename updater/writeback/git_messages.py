"""The message of a commit that carries the changes of several Applications (``write-back.md`` 5.4). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from updater.writeback.git_intents import GitIntent

BLANK_MESSAGE = "build: update of application {name}"
"""For a message without any text, which git would refuse."""


def commit_message(intents: Sequence[GitIntent], subject: str) -> str:
    """One Application's own message; of several, a subject and their messages, sorted by namespace and name."""
    ordered = sorted(intents, key=lambda intent: intent.change_set.application)
    messages = [_own_message(intent) for intent in ordered]
    count = len({intent.change_set.application for intent in ordered})
    if count == 1:
        return "\n".join(dict.fromkeys(messages))
    return "\n".join((subject.replace("{N}", str(count)) + "\n", *messages))


def _own_message(intent: GitIntent) -> str:
    text = intent.message.strip("\n")
    return f"{text if text.strip() else BLANK_MESSAGE.format(name=intent.change_set.application.name)}\n"
