"""An HTTP answer of a registry, read to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """``headers`` holds every line by the header's name in lower case. Bodies of token calls hold secrets: no repr."""

    status: int
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """The first line of a header, empty when there is none."""
        return self.lines(name)[0] if self.lines(name) else ""

    def lines(self, name: str) -> tuple[str, ...]:
        """Every line of a header in order; ``name`` in lower case."""
        return self.headers.get(name, ())
