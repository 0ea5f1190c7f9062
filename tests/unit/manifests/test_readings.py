from __future__ import annotations

import pytest

from updater.manifests.nodes import NodePath, Scalar
from updater.manifests.readings import Reading, RefusedTogether, read_text
from updater.manifests.splices import Splice

_TEXT = "# é\na: 1\nb: 2\n"
_STRING = Scalar("v", is_string=True)


def _waiting(*splices: tuple[NodePath, Splice]) -> Reading:
    reading = read_text(_TEXT, "f.yaml")
    for path, splice in splices:
        reading = reading.with_waiting(path, splice, _STRING)
    return reading


def test_what_waits_is_in_the_new_text_and_is_read_there() -> None:
    reading = _waiting(((1,), Splice(12, 13, "v")), ((0,), Splice(7, 8, "'v'")))
    assert (reading.new_text, reading.text) == ("# é\na: 'v'\nb: v\n", _TEXT)
    assert reading.new_length == len(reading.new_text)
    checked = reading.checked("f.yaml")
    assert (checked.text, checked.documents, dict(checked.waiting)) == (reading.new_text, reading.documents, {})


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(Splice(12, 13, "w"), id="another value"),
        pytest.param(Splice(12, 13, "1"), id="a number"),
        pytest.param(Splice(12, 13, "["), id="no YAML"),
        pytest.param(Splice(12, 13, "v\nc: d"), id="more than a value"),
        pytest.param(Splice(8, 8, "v"), id="touching another"),
        pytest.param(Splice(7, 8, "v"), id="in the place of another"),
    ],
)
def test_what_is_not_as_meant_is_refused_together(second: Splice) -> None:
    with pytest.raises(RefusedTogether):
        _waiting(((0,), Splice(7, 8, "v")), ((1,), second)).checked("f.yaml")
