"""GitHub Container Registry: the event ``package`` of a repository or organization, signed.

Repositories there are lower case while the logins of their owners are not.
"""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import needed
from sidecar.webhooks.rejections import foreign, rejected
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_signature
from sidecar.webhooks.sender import Sender
from updater.ports.nudges import PushEvent

_EVENT_HEADER = "X-GitHub-Event"


def _check_event(request: WebhookRequest) -> None:
    event = request.header(_EVENT_HEADER)
    if not event:
        raise rejected("missing_event_header", f"missing header {_EVENT_HEADER}")
    if event != "package":
        raise foreign("unsupported_event", "unsupported event", event)


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    del request
    action = document.text("action")
    if action != "published":
        raise foreign("ignored_action", "ignoring action", action)
    package = document.part("package")
    kind = package.text("package_type")
    if kind.lower() != "container":
        raise foreign("unsupported_package_type", "unsupported package type", kind)
    owner = needed(package.part("owner").text("login"), "owner")
    name = needed(package.text("name"), "repository")
    tag = needed(_tag(package.part("package_version")), "tag")
    return (PushEvent("ghcr.io", f"{owner}/{name}".lower(), tag),)


def _tag(version: Document) -> str:
    tag = version.part("container_metadata", "tag").text("name")
    return tag or version.text("name") or version.text("version")


GHCR = Sender("ghcr.io", "the GitHub Container Registry", check_signature, _read, _check_event)
