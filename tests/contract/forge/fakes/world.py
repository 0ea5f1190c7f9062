"""What a forge knows of one repository; a test changes it in one line and looks at it afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field

from updater.playground.git_remote import BareRepository

TOKEN = "t0ken-of-the-forge-1234"
USER = "bot"


@dataclass
class Stored:
    """A request. ``is_from_fork``: its head stands in another repository."""

    number: int
    head: str
    base: str
    title: str
    body: str
    labels: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    is_open: bool = True
    is_from_fork: bool = False
    version: int = 0


class Branches(MutableMapping[str, str]):
    """Tips by name: kept here, or those of a real repository."""

    def __init__(self, repository: BareRepository | None = None) -> None:
        self._own: dict[str, str] = {}
        self._repository = repository

    def _tips(self) -> dict[str, str]:
        if self._repository is None:
            return self._own
        lines = self._repository.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return {name: tip for name, _, tip in (line.partition(" ") for line in lines.splitlines())}

    def __getitem__(self, name: str) -> str:
        return self._tips()[name]

    def __setitem__(self, name: str, tip: str) -> None:
        self._own[name] = tip

    def __delitem__(self, name: str) -> None:
        if self._repository is None:
            del self._own[name]
        else:
            self._repository.git("update-ref", "-d", f"refs/heads/{name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._tips())

    def __len__(self) -> int:
        return len(self._tips())


@dataclass
class World:
    """One repository ``owner/name`` (Azure: with ``project``). ``page`` is the most that a list gives at a time."""

    owner: str = "acme"
    name: str = "deploy"
    project: str = "shop"
    token: str = TOKEN
    branches: Branches = field(default_factory=Branches)
    requests: list[Stored] = field(default_factory=list)
    known_labels: list[str] = field(default_factory=lambda: ["automation", "images"])
    page: int = 50
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    before_write: Callable[[], None] = lambda: None

    def add(self, head: str, base: str = "main", title: str = "t", body: str = "b", **more: bool) -> Stored:
        """A request of somebody else."""
        stored = Stored(next(self.numbers), head, base, title, body, **more)
        self.requests.append(stored)
        return stored

    def open_ones(self) -> list[Stored]:
        return [each for each in self.requests if each.is_open]

    def find(self, number: int) -> Stored | None:
        return next((each for each in self.requests if each.number == number), None)

    def duplicate(self, head: str, base: str) -> Stored | None:
        found = (each for each in self.open_ones() if (each.head, each.base) == (head, base) and not each.is_from_fork)
        return next(found, None)

    def has_nothing_between(self, head: str, base: str) -> bool:
        return self.branches[head] == self.branches[base]

    def repo_id(self, stored: Stored) -> int:
        return 99 if stored.is_from_fork else 7
