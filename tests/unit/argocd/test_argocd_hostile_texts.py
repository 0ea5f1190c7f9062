"""Texts that are not UTF-8: a hostile or broken server gives bytes, which must not get further than the wall."""

from __future__ import annotations

import pytest

from generated.application_messages_pb2 import Application
from updater.argocd.snapshots import snapshot_of
from updater.errors import ArgoCDProtocolError
from updater.model.applications import ANNOTATION_PREFIX
from updater.playground.applications import helm_application, kustomize_application

_MARK = b"PLANTED"


def _application(where: str) -> Application:
    message = Application()
    sample = kustomize_application("shop") if where == "kustomize image" else helm_application("shop")
    message.CopyFrom(sample.message)
    text = _MARK.decode()
    match where:
        case "name":
            message.metadata.name = text
        case "annotation":
            message.metadata.annotations[f"{ANNOTATION_PREFIX}image-list"] = text
        case "key of an annotation":
            message.metadata.annotations[text] = ""
        case "label":
            message.metadata.labels["tier"] = text
        case "live image":
            message.status.summary.images.append(text)
        case "parameter":
            message.spec.source.helm.parameters.add(name="image.tag", value=text)
        case "kustomize image":
            message.spec.source.kustomize.images.append(text)
        case "project":
            message.spec.project = text
    return message


@pytest.mark.parametrize(
    "where",
    [
        "name",
        "annotation",
        "key of an annotation",
        "label",
        "live image",
        "parameter",
        "kustomize image",
        "project",
    ],
)
def test_a_text_that_is_not_utf8_is_a_protocol_error(where: str) -> None:
    message = _application(where)
    snapshot_of(message)
    broken = Application.FromString(message.SerializeToString().replace(_MARK, b"\xff" * len(_MARK)))

    with pytest.raises(ArgoCDProtocolError, match="not UTF-8") as caught:
        snapshot_of(broken)

    assert not caught.value.retryable
