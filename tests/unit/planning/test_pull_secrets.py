"""References to credentials in annotations."""

from __future__ import annotations

import pytest

from updater.errors import PlanError
from updater.planning.pull_secrets import PullSecretKind, PullSecretReference, parse_pull_secret


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        (" env:A ", PullSecretReference(PullSecretKind.VARIABLE, value="A")),
        ("ext:/a=b:c", PullSecretReference(PullSecretKind.SCRIPT, value="/a=b:c")),
        ("r.io=ext:/a", PullSecretReference(PullSecretKind.SCRIPT, value="/a", registry="r.io")),
        ("PullSecret:a/b", PullSecretReference(PullSecretKind.PULL_SECRET, "a", "b", ".dockerconfigjson")),
    ],
)
def test_reference_is_parsed(text: str, reference: PullSecretReference) -> None:
    assert parse_pull_secret(text) == reference


@pytest.mark.parametrize(
    "text", ["env:", "env:a:b", "ext:relative", "secret:a/b#", "pullsecret:a/b#c", "=env:A", "x=y"]
)
def test_other_texts_are_refused_with_the_grammar(text: str) -> None:
    with pytest.raises(PlanError, match="write secret:<namespace>") as caught:
        parse_pull_secret(text)
    assert caught.value.code == "invalid_pull_secret"
