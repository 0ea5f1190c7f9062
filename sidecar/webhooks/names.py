"""Names of registries and repositories out of the fields that senders put them in."""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.rejections import missing


def host_of(url: str) -> str:
    """``host[:port]`` of a URL with or without scheme."""
    _, separator, rest = url.partition("://")
    return (rest if separator else url).partition("/")[0]


def repository_of(fields: Document, full_name: str) -> str:
    """The field ``full_name``, else ``namespace/name``, else ``name``. Raises ``WebhookRejected``."""
    repository = fields.text(full_name)
    if not repository:
        namespace, name = fields.text("namespace"), fields.text("name")
        repository = f"{namespace}/{name}" if namespace and name else name
    return needed(repository, "repository")


def needed(text: str, item: str) -> str:
    """The text. Raises ``WebhookRejected`` ``missing_<item>`` when it is empty."""
    if not text:
        raise missing(item)
    return text
