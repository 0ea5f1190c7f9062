"""The message of one commit out of the messages of its intents (``write-back.md`` 5.4). Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from updater.manifests.messages import DEFAULT_BATCH_SUBJECT, batch_message
from updater.model.applications import ApplicationKey
from updater.writeback.git_intents import GitIntent

BLANK_MESSAGE = "build: update of application {name}\n"
"""For a message without any text, which git would refuse."""


def commit_message(
    intents: Sequence[GitIntent],
    subject: str = DEFAULT_BATCH_SUBJECT,
    words_of: Callable[[GitIntent], str] = lambda intent: intent.message,
) -> str:
    """One Application's own message; of several, a subject and their messages, sorted by namespace and name."""
    texts: dict[ApplicationKey, dict[str, None]] = {}
    for intent in intents:
        key, words = intent.change_set.application, words_of(intent)
        text = words if words.strip() else BLANK_MESSAGE.format(name=key.name)
        texts.setdefault(key, {})[text] = None
    return batch_message([(key, "\n".join(own)) for key, own in texts.items()], subject)
