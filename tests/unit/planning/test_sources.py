"""Type of an Application and choice of its source."""

from __future__ import annotations

import pytest

from tests.unit.planning.builders import sourced
from updater.errors import PlanError
from updater.model.applications import HelmParameter, SourceKind, SourceLayout, SourceSnapshot
from updater.model.changes import SourceChoice
from updater.planning.sources import select_source, selected_kind, source_kind

_HELM = SourceSnapshot(helm_parameters=())
_KUSTOMIZE = SourceSnapshot(kustomize_images=())
_PLUGIN = SourceSnapshot(plugin_env=())
_PLAIN = SourceSnapshot()
_CHART = SourceSnapshot(chart="shop")


@pytest.mark.parametrize(
    ("layout", "sources", "source_type", "source_types", "kind"),
    [
        pytest.param(SourceLayout.SINGLE, (_PLAIN,), "Helm", (), SourceKind.HELM, id="single"),
        pytest.param(SourceLayout.SINGLE, (_PLAIN,), "Directory", (), None, id="directory"),
        pytest.param(SourceLayout.SINGLE, (_PLAIN,), "", (), None, id="never reconciled"),
        pytest.param(
            SourceLayout.MULTIPLE, (_PLAIN,) * 2, "", ("Plugin", "Kustomize"), SourceKind.KUSTOMIZE, id="plugin first"
        ),
        pytest.param(SourceLayout.MULTIPLE, (_PLAIN,) * 2, "", ("Plugin", "Directory"), None, id="none supported"),
        pytest.param(
            SourceLayout.HYDRATED, (_KUSTOMIZE,), "Helm", (), SourceKind.KUSTOMIZE, id="block of a dry source"
        ),
        pytest.param(SourceLayout.HYDRATED, (_PLAIN,), "Helm", (), SourceKind.HELM, id="dry source without block"),
        pytest.param(SourceLayout.HYDRATED, (_PLUGIN,), "Helm", (), None, id="plugin block of a dry source"),
        pytest.param(SourceLayout.HYDRATED, (), "Directory", (), None, id="hydrator without dry source"),
    ],
)
def test_source_kind(
    layout: SourceLayout,
    sources: tuple[SourceSnapshot, ...],
    source_type: str,
    source_types: tuple[str, ...],
    kind: SourceKind | None,
) -> None:
    snapshot = sourced(*sources, layout=layout, source_type=source_type, source_types=source_types)
    if kind is not None:
        assert source_kind(snapshot) is kind
        return
    with pytest.raises(PlanError) as caught:
        source_kind(snapshot)
    assert caught.value.code == "unsupported_source_type"


def test_hydrator_of_an_old_server_is_unsupported_and_names_the_version() -> None:
    with pytest.raises(PlanError, match=r"3\.3"):
        source_kind(sourced(_HELM, layout=SourceLayout.HYDRATED), server_supports_hydrator=False)


@pytest.mark.parametrize(
    ("sources", "types", "kind", "names", "index"),
    [
        pytest.param((_PLAIN, _HELM), (), SourceKind.HELM, (), 1, id="explicit block"),
        pytest.param((_HELM, _HELM), (), SourceKind.HELM, (), 0, id="first of two"),
        pytest.param((_PLAIN, _HELM), ("Helm", "Helm"), SourceKind.HELM, (), 1, id="block before status"),
        pytest.param((_PLAIN, _PLAIN), ("Helm", "Kustomize"), SourceKind.KUSTOMIZE, (), 1, id="aligned status"),
        pytest.param((_PLAIN, _CHART), (), SourceKind.HELM, (), 1, id="chart without status"),
        pytest.param(
            (_HELM, SourceSnapshot(helm_parameters=(HelmParameter("a", "1"),))),
            (),
            SourceKind.HELM,
            ("a",),
            1,
            id="carries the parameter",
        ),
        pytest.param(
            (_KUSTOMIZE, SourceSnapshot(kustomize_images=("docker.io/library/nginx:1",))),
            (),
            SourceKind.KUSTOMIZE,
            ("nginx",),
            1,
            id="carries the image in another spelling",
        ),
        pytest.param(
            (_KUSTOMIZE, SourceSnapshot(kustomize_images=("x=acme/web:1",))),
            (),
            SourceKind.KUSTOMIZE,
            ("acme/web",),
            1,
            id="carries the image under a left-hand side",
        ),
        pytest.param(
            (SourceSnapshot(helm_parameters=(), kustomize_images=()),),
            (),
            SourceKind.KUSTOMIZE,
            (),
            0,
            id="both blocks",
        ),
    ],
)
def test_source_is_selected(
    sources: tuple[SourceSnapshot, ...], types: tuple[str, ...], kind: SourceKind, names: tuple[str, ...], index: int
) -> None:
    assert select_source(sourced(*sources, source_types=types), SourceChoice(kind), names) == index


@pytest.mark.parametrize(
    ("selector", "index"),
    [("0", 0), ("1", 1), ("base", 1), ("values", 0)],
)
def test_named_source_wins(selector: str, index: int) -> None:
    snapshot = sourced(SourceSnapshot(ref="values"), SourceSnapshot(name="base", helm_parameters=()))
    assert select_source(snapshot, SourceChoice(SourceKind.HELM, selector), ()) == index


@pytest.mark.parametrize(
    ("sources", "choice", "code"),
    [
        pytest.param((), SourceChoice(SourceKind.HELM), "no_source", id="no source"),
        pytest.param((_KUSTOMIZE, _PLUGIN), SourceChoice(SourceKind.HELM), "no_matching_source", id="other types only"),
        pytest.param((_HELM, _HELM), SourceChoice(SourceKind.HELM, "2"), "source_not_found", id="index too great"),
        pytest.param((_HELM, _HELM), SourceChoice(SourceKind.HELM, "01"), "source_not_found", id="padded index"),
        pytest.param((_HELM, _HELM), SourceChoice(SourceKind.HELM, "x"), "source_not_found", id="unknown name"),
        pytest.param(
            (SourceSnapshot(name="a"), SourceSnapshot(name="a")),
            SourceChoice(SourceKind.HELM, "a"),
            "source_not_found",
            id="ambiguous name",
        ),
        pytest.param(
            (_HELM, _KUSTOMIZE),
            SourceChoice(SourceKind.HELM, "1"),
            "no_matching_source",
            id="named source of another type",
        ),
        pytest.param((_HELM, _PLUGIN), SourceChoice(SourceKind.HELM, "1"), "no_matching_source", id="named plugin"),
    ],
)
def test_no_source_has_a_code(sources: tuple[SourceSnapshot, ...], choice: SourceChoice, code: str) -> None:
    with pytest.raises(PlanError) as caught:
        select_source(sourced(*sources), choice, ())
    assert caught.value.code == code


def test_named_source_that_is_reported_as_unsupported_is_refused() -> None:
    snapshot = sourced(_HELM, _PLAIN, source_types=("Helm", "Directory"))
    with pytest.raises(PlanError) as caught:
        select_source(snapshot, SourceChoice(SourceKind.HELM, "1"), ())
    assert caught.value.code == "no_matching_source"


def test_named_source_of_unknown_type_is_believed() -> None:
    assert select_source(sourced(_HELM, _PLAIN), SourceChoice(SourceKind.HELM, "1"), ()) == 1


def test_single_source_is_written_whatever_it_holds() -> None:
    assert select_source(sourced(_PLAIN, layout=SourceLayout.SINGLE), SourceChoice(SourceKind.HELM, "7"), ()) == 0


def test_named_source_tells_the_type() -> None:
    snapshot = sourced(_HELM, SourceSnapshot(name="base", kustomize_images=()), _PLAIN)
    assert selected_kind(snapshot, "base") is SourceKind.KUSTOMIZE
    assert selected_kind(snapshot, "2") is None


def test_unknown_source_error_lists_the_known_names() -> None:
    with pytest.raises(PlanError, match="write an index from 0 to 1 or one of base"):
        selected_kind(sourced(_HELM, SourceSnapshot(name="base")), "bsae")
