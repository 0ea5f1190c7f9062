"""The console script."""

from __future__ import annotations


def main() -> None:
    """Run one command and exit with its status."""
