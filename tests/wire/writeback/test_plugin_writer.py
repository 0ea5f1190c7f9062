"""Variables of plugins through the careful writer, on both transports and in both modes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Bench

from generated.application_messages_pb2 import Application, EnvEntry
from updater.model.applications import SourceKind
from updater.model.changes import PluginVariableEdit, WriteOutcome

pytestmark = pytest.mark.wire

Make = Callable[[str], Bench]
_TAG = PluginVariableEdit("TAG", "1.0.1", "1.0.0")
_IMAGE = PluginVariableEdit("IMAGE", "registry.example.com/shop/web")


def _use_plugin(bench: Bench, **env: str) -> None:
    def edit(application: Application) -> None:
        source = application.spec.source
        source.ClearField("helm")
        source.plugin.name = "render"
        source.plugin.env.extend(EnvEntry(name=name, value=value) for name, value in env.items())
        application.status.sourceType = "Plugin"

    bench.world.edit_application(bench.key, edit)


def _env(bench: Bench) -> list[tuple[str, str]]:
    return [(entry.name, entry.value) for entry in bench.world.application(bench.key).spec.source.plugin.env]


def test_a_variable_is_written_and_everything_else_stays(make_bench: Make) -> None:
    bench = make_bench("helm")
    _use_plugin(bench, MODE="prod", TAG="1.0.0")
    before = bench.world.application(bench.key)

    result = bench.write(bench.change_set(_TAG, _IMAGE, kind=SourceKind.PLUGIN))

    assert result.outcome is WriteOutcome.WRITTEN
    assert result.diff == (
        "- plugin.env: TAG=1.0.0",
        "+ plugin.env: TAG=1.0.1",
        "+ plugin.env: IMAGE=registry.example.com/shop/web",
    )
    after = bench.world.application(bench.key)
    before.spec.source.plugin.env[1].value = "1.0.1"
    before.spec.source.plugin.env.add(name="IMAGE", value="registry.example.com/shop/web")
    assert after.spec == before.spec


def test_a_plugin_without_variables_gets_them(make_bench: Make) -> None:
    bench = make_bench("helm")
    _use_plugin(bench)
    assert bench.write(bench.change_set(_IMAGE, kind=SourceKind.PLUGIN)).outcome is WriteOutcome.WRITTEN
    assert _env(bench) == [("IMAGE", "registry.example.com/shop/web")]
    assert bench.world.application(bench.key).spec.source.plugin.name == "render"


def test_a_missing_plugin_block_is_made(make_bench: Make) -> None:
    bench = make_bench("helm")
    bench.world.edit_application(bench.key, lambda application: application.spec.source.ClearField("helm"))
    assert bench.write(bench.change_set(_IMAGE, kind=SourceKind.PLUGIN)).outcome is WriteOutcome.WRITTEN
    assert _env(bench) == [("IMAGE", "registry.example.com/shop/web")]


def test_the_same_value_is_not_written_again(make_bench: Make) -> None:
    bench = make_bench("helm")
    _use_plugin(bench, TAG="1.0.1")
    assert bench.write(bench.change_set(_TAG, kind=SourceKind.PLUGIN)).outcome is WriteOutcome.UNCHANGED
    assert bench.writes() == 0


def test_a_rivals_variable_stays(make_bench: Make) -> None:
    bench = make_bench("helm")
    _use_plugin(bench, TAG="1.0.0")
    change_set = bench.change_set(_TAG, kind=SourceKind.PLUGIN)
    _use_plugin(bench, OTHER="x")
    assert bench.write(change_set).outcome is WriteOutcome.WRITTEN
    assert _env(bench) == [("TAG", "1.0.1"), ("OTHER", "x")]
