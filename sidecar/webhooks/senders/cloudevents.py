"""CloudEvents 1.0 in structured mode: Amazon ECR by way of EventBridge, and whoever speaks of images alike."""

from __future__ import annotations

from sidecar.webhooks.documents import Document
from sidecar.webhooks.names import host_of, needed
from sidecar.webhooks.rejections import foreign
from sidecar.webhooks.request import WebhookRequest
from sidecar.webhooks.secrets import check_query_or_header
from sidecar.webhooks.sender import Sender, check_content_type
from updater.ports.nudges import PushEvent

_ECR = "com.amazon.ecr."
_GENERIC = ("container", "image")
_PARTITION_DOMAINS = (
    ("aws", "amazonaws.com"),
    ("aws-us-gov", "amazonaws.com"),
    ("aws-cn", "amazonaws.com.cn"),
)
"""Where the registries of an AWS partition live; an ARN names the partition in its second part."""


def _check_headers(request: WebhookRequest) -> None:
    check_content_type(request, "application/json", "application/cloudevents+json")


def _read(document: Document, request: WebhookRequest) -> tuple[PushEvent, ...]:
    del request
    needed(document.text("specversion"), "specversion")
    kind = needed(document.text("type"), "type")
    if kind.startswith(_ECR):
        return (_ecr_event(document),)
    if any(word in kind.lower() for word in _GENERIC):
        return (_generic_event(document),)
    raise foreign("unsupported_type", "unsupported event type", kind)


def _ecr_event(document: Document) -> PushEvent:
    data = document.part("data")
    registry = _ecr_registry(document.text("source"), data.text_if_any("registryId"))
    return _event(
        document, registry, data.text_if_any("repositoryName"), data.text_if_any("imageTag"), ("imageDigest",)
    )


def _generic_event(document: Document) -> PushEvent:
    data = document.part("data")
    named = host_of(data.text_if_any("registryUrl", "registry"))
    repository = data.text_if_any("repositoryName", "repository")
    tag = data.text_if_any("imageTag", "tag")
    return _event(document, named or _source_host(document.text("source")), repository, tag, ("imageDigest", "digest"))


def _event(document: Document, registry: str, repository: str, tag: str, digests: tuple[str, ...]) -> PushEvent:
    """``subject`` stands in for a repository or tag that the data does not name."""
    subject, _, subject_tag = document.text("subject").partition(":")
    return PushEvent(
        repository=needed(repository or subject, "repository"),
        tag=needed(tag or subject_tag, "tag"),
        registry=needed(registry, "registry"),
        digest=document.part("data").text_if_any(*digests),
    )


def _ecr_registry(source: str, account: str) -> str:
    """``urn:aws:ecr:<region>:<account>:...`` or the same as an ARN; empty for anything else."""
    scheme, partition, service, region, owner = (*source.split(":"), "", "", "", "", "")[:5]
    domain = dict(_PARTITION_DOMAINS).get(partition, "")
    account = account or owner
    if scheme not in ("urn", "arn") or service != "ecr" or not (domain and region and account):
        return ""
    return f"{account}.dkr.ecr.{region}.{domain}"


def _source_host(source: str) -> str:
    """The host of a URL; of another text its first part, when that looks like a host."""
    host = host_of(source)
    return host if "://" in source or "." in host else ""


CLOUD_EVENTS = Sender("cloudevents", "CloudEvents", check_query_or_header, _read, _check_headers)
