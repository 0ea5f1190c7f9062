"""Sample Applications for the demo and for tests, as the protobuf messages a server would hand out.

``base_images`` to give to ``World.add_application`` stand beside each builder's message in ``Sample``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generated.application_messages_pb2 import Application, ApplicationSource
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.wire_fields import bytes_field, text_field

CONFIG_REPOSITORY = "https://git.example.com/shop/config.git"
CLUSTER = "https://kubernetes.default.svc"


@dataclass(frozen=True, slots=True)
class Sample:
    """An Application and the references its manifests name before any override."""

    message: Application
    base_images: tuple[str, ...]


def helm_application(
    name: str = "shop-web",
    *,
    image: str = "registry.example.com/shop/web:1.0.0",
    annotations: Mapping[str, str] | None = None,
    project: str = "default",
    namespace: str = "argocd",
) -> Sample:
    """A single-source Application with a chart and ``image.name``/``image.tag`` parameters."""
    message = _application(name, namespace, project, _image_list("web", image) if annotations is None else annotations)
    _describe_helm(message.spec.source, image)
    message.status.sourceType = "Helm"
    message.status.summary.images.append(image)
    return Sample(message, (image,))


def kustomize_application(
    name: str = "shop-api",
    *,
    image: str = "registry.example.com/shop/api:1.0.0",
    annotations: Mapping[str, str] | None = None,
    project: str = "default",
    namespace: str = "argocd",
) -> Sample:
    """A single-source Application with an overlay and one ``images`` entry."""
    message = _application(name, namespace, project, _image_list("api", image) if annotations is None else annotations)
    _describe_kustomize(message.spec.source, image)
    message.status.sourceType = "Kustomize"
    message.status.summary.images.append(image)
    return Sample(message, (image,))


def multi_source_application(
    name: str = "shop-all",
    *,
    helm_image: str = "registry.example.com/shop/web:1.0.0",
    kustomize_image: str = "registry.example.com/shop/api:1.0.0",
    annotations: Mapping[str, str] | None = None,
    project: str = "default",
    namespace: str = "argocd",
) -> Sample:
    """Three sources: a chart, an overlay, and one that only gives its ``ref`` to value files."""
    listed = {
        f"{ANNOTATION_PREFIX}image-list": f"web={_only_name(helm_image)}:~1.0, api={_only_name(kustomize_image)}:~1.0"
    }
    message = _application(name, namespace, project, listed if annotations is None else annotations)
    _describe_helm(message.spec.sources.add(name="web"), helm_image)
    _describe_kustomize(message.spec.sources.add(name="api"), kustomize_image)
    message.spec.sources.add(repoURL=CONFIG_REPOSITORY, targetRevision="main", ref="values", name="values")
    message.status.sourceTypes.extend(("Helm", "Kustomize", "Directory"))
    message.status.summary.images.extend(sorted((helm_image, kustomize_image)))
    return Sample(message, (helm_image, kustomize_image))


def _application(name: str, namespace: str, project: str, annotations: Mapping[str, str]) -> Application:
    message = Application.FromString(bytes_field(2, _destination("shop")))
    message.metadata.name = name
    message.metadata.namespace = namespace
    message.metadata.annotations.update(annotations)
    message.metadata.labels["app.kubernetes.io/part-of"] = "shop"
    message.spec.project = project
    message.spec.syncPolicy.automated.selfHeal = True
    message.status.sync.status = "Synced"
    message.status.health.status = "Healthy"
    message.status.controllerNamespace = "argocd"
    return message


def _destination(namespace: str) -> bytes:
    """A spec's destination, which our messages do not declare: field 2, with the empty name the server writes."""
    return bytes_field(2, text_field(1, CLUSTER) + text_field(2, namespace) + text_field(3, ""))


def _describe_helm(source: ApplicationSource, image: str) -> None:
    source.repoURL, source.path, source.targetRevision = CONFIG_REPOSITORY, "chart", "main"
    name, _, tag = image.rpartition(":")
    for key, value in (("image.name", name), ("image.tag", tag)):
        source.helm.parameters.add(name=key, value=value, forceString=True)


def _describe_kustomize(source: ApplicationSource, image: str) -> None:
    source.repoURL, source.path, source.targetRevision = CONFIG_REPOSITORY, "overlays/production", "main"
    source.kustomize.images.append(image)


def _image_list(alias: str, image: str) -> Mapping[str, str]:
    return {
        f"{ANNOTATION_PREFIX}image-list": f"{alias}={_only_name(image)}:~1.0",
        f"{ANNOTATION_PREFIX}{alias}.update-strategy": "semver",
    }


def _only_name(image: str) -> str:
    return image.rpartition(":")[0]


def all_samples() -> Sequence[Sample]:
    """One of each kind, with names that differ."""
    return (helm_application(), kustomize_application(), multi_source_application())
