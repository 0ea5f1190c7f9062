"""Synthetic fleets for measurements: many Applications of a realistic size.

Most of an Application on the wire is what the updater never reads: ``metadata.managedFields`` (field 17 there) and
``status.resources`` (field 1 there). Both are here as undeclared bytes, so that one comes to about 4 KiB.
"""

from __future__ import annotations

from collections.abc import Iterator

from generated.application_messages_pb2 import Application, ApplicationStatus
from generated.meta_messages_pb2 import ObjectMeta
from updater.playground.applications import Sample, helm_application, kustomize_application
from updater.playground.wire_fields import bytes_field, number_field, text_field

# The target size of one encoded Application; the tests hold the builder to it within a tenth.
APPLICATION_BYTES = 4096
_RESOURCES = 12
_MANAGED_FIELDS_BYTES = 2430


def synthetic_fleet(size: int, *, repositories: int = 50, projects: int = 5) -> Iterator[Sample]:
    """``size`` Applications, Helm and Kustomize by turns, over so many image repositories and projects."""
    padding = _padding()
    for number in range(size):
        build = helm_application if number % 2 == 0 else kustomize_application
        repository = f"registry.example.com/fleet/service-{number % repositories:03}"
        sample = build(f"app-{number:05}", image=f"{repository}:1.0.0", project=f"project-{number % projects}")
        sample.message.MergeFrom(padding)
        yield sample


def _padding() -> Application:
    """The undeclared part, the same for all."""
    metadata, status = ObjectMeta(), ApplicationStatus()
    metadata.MergeFromString(bytes_field(17, _managed_fields()))
    status.MergeFromString(b"".join(bytes_field(1, _resource(index)) for index in range(_RESOURCES)))
    return Application(metadata=metadata, status=status)


def _managed_fields() -> bytes:
    names = "".join(f'"f:field-{index:03}":{{}},' for index in range(_MANAGED_FIELDS_BYTES // 17))
    raw = f'{{"f:spec":{{{names.rstrip(",")}}}}}'.encode()
    return (
        text_field(1, "argocd-application-controller")
        + text_field(2, "Update")
        + text_field(3, "argoproj.io/v1alpha1")
        + bytes_field(4, number_field(1, 1_700_000_000) + number_field(2, 0))
        + text_field(6, "FieldsV1")
        + bytes_field(7, bytes_field(1, raw))
        + text_field(8, "")
    )


def _resource(index: int) -> bytes:
    return (
        text_field(1, "apps")
        + text_field(2, "v1")
        + text_field(3, "Deployment")
        + text_field(4, "shop")
        + text_field(5, f"component-with-a-usual-name-{index:02}")
        + text_field(6, "Synced")
        + bytes_field(7, text_field(1, "Healthy") + text_field(2, ""))
        + number_field(8, 0)
        + number_field(9, 0)
        + number_field(10, 0)
    )
