"""``demo``: the main job from beginning to end, on loopback, in a few seconds.

Everything is real but the world behind it: real gRPC-Web and gRPC with token authentication, a real registry protocol,
and the same runtime that ``run --once`` uses.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from updater.assembly import build_runtime
from updater.cli.consoles import console_on
from updater.cli.outcome import Row, application_rows
from updater.errors import ConfigurationError
from updater.model.report import ApplicationReport, Report
from updater.playground.showcase import REGISTRY_HOST, Showcase
from updater.ports.log import NullLog
from updater.ports.progress import NoProgress
from updater.settings.parts import ConnectionSettings, RegistrySettings, RunSettings
from updater.transport.redaction import Secret

_NEW_TAG = "1.0.1"
_WIDTH = 110


def run_demo(arguments: list[str]) -> int:
    """Show one update; 0 when it worked, 1 when it did not. Takes no arguments."""
    if arguments:
        raise ConfigurationError(f"unknown argument {arguments[0]!r}", where="demo", code="unknown_flag")
    console = console_on(sys.stdout, width=None if sys.stdout.isatty() else _WIDTH)
    with tempfile.TemporaryDirectory(prefix="argocd-image-updater-demo-") as folder, Showcase() as showcase:
        return _Demo(console, showcase, Path(folder)).run()


class _Demo:
    """The steps, in order."""

    def __init__(self, console: Console, showcase: Showcase, folder: Path) -> None:
        self._console = console
        self._showcase = showcase
        self._registries_conf = folder / "registries.conf"

    def run(self) -> int:
        self._registries_conf.write_text(self._showcase.registries_conf, encoding="utf-8")
        self._introduce()
        self._say_live("2. Before: what runs now, and a first round that finds nothing to do")
        self._show_round(self._round(over_grpc_web=True))
        self._release()
        report = self._round(over_grpc_web=True)
        self._heading("4. The round over gRPC-Web, and why")
        self._show_round(report)
        self._explain(report)
        self._showcase.follow()
        self._say_live("5. After: Argo CD has rolled out the new specs; a last round, over native gRPC, agrees")
        last = self._round(over_grpc_web=False)
        self._show_round(last)
        return self._verdict(report, last)

    def _introduce(self) -> None:
        self._heading("1. A playground on loopback")
        self._line(f"Argo CD API server  gRPC-Web {self._showcase.web.url}   gRPC {self._showcase.native.address}")
        self._line(f"OCI registry        {self._showcase.registry.address}, called {REGISTRY_HOST} in the images")
        self._line(f"Applications        {', '.join(map(str, self._showcase.keys))} (the last with a typing mistake)")

    def _release(self) -> None:
        self._heading("3. A release: somebody pushes new tags")
        for name in ("web", "api", "worker"):
            self._line(f"pushed {self._showcase.push_release(name, _NEW_TAG)}")

    def _round(self, *, over_grpc_web: bool) -> Report:
        showcase = self._showcase
        server = showcase.web.url if over_grpc_web else showcase.native.address
        settings = RunSettings(
            connection=ConnectionSettings(
                server=server, is_grpc_web=over_grpc_web, is_plaintext=True, token=Secret(showcase.token)
            ),
            registry=RegistrySettings(conf_path=str(self._registries_conf)),
        )
        runtime = build_runtime(settings, log=NullLog(), progress=NoProgress(), environment={})
        try:
            return runtime.run_once()
        finally:
            runtime.close()

    def _show_round(self, report: Report) -> None:
        headings = ("Application", "Image", "From", "To", "Reason")
        table = Table(*(Column(text, overflow="fold") for text in headings), box=None, pad_edge=False)
        for row in _rows(report):
            table.add_row(*(Text(cell, style=row.style) for cell in row.cells))
        self._console.print(table)

    def _explain(self, report: Report) -> None:
        for application in report.applications:
            for decision in application.decisions:
                if decision.wanted is None or decision.choice is None:
                    continue
                constraint = decision.plan.rule.constraint
                self._line(f"\n{application.key}: {decision.wanted.tag} is the highest version allowed by {constraint}")
                for tag, loss in decision.choice.losses:
                    self._line(f"  {tag:<14} {loss.value}")
            self._diff(application)

    def _diff(self, application: ApplicationReport) -> None:
        for line in application.result.diff if application.result else ():
            self._console.print(Text(f"  {line}", style="green" if line.startswith("+") else "red"))

    def _say_live(self, heading: str) -> None:
        self._heading(heading)
        for key, images in self._showcase.live_images().items():
            self._line(f"{key:<20} runs {', '.join(images)}")
        self._line("")

    def _verdict(self, report: Report, last: Report) -> int:
        updated = report.totals["images_updated"]
        is_settled = last.totals["images_updated"] == 0
        if updated == 3 and is_settled:
            self._line("\nDone: three Applications follow their registry, the mistake in the fourth cost no other one.")
            return 0
        self._line(f"\nThe demo failed: {updated} images were updated instead of 3, settled afterwards: {is_settled}.")
        return 1

    def _heading(self, text: str) -> None:
        self._console.print(Text(f"\n{text}", style="bold"))

    def _line(self, text: str) -> None:
        self._console.print(Text(text))


def _rows(report: Report) -> list[Row]:
    return [row for application in report.applications for row in application_rows(application)]
