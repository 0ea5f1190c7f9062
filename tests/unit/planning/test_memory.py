"""Remembering never changes an answer, and is bounded."""

from __future__ import annotations

from updater.planning.memory import PlanMemory


def test_a_derived_value_is_made_once_per_key() -> None:
    memory = PlanMemory()
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name

    assert [memory.derive(key, lambda key=key: make(key)) for key in ("a", "b", "a")] == ["a", "b", "a"]
    assert made == ["a", "b"]


def test_a_full_memory_is_emptied() -> None:
    memory = PlanMemory(max_settings=2, max_references=2)
    first = memory.derive("a", list)
    memory.derive("b", list)
    memory.derive("c", list)

    assert memory.derive("a", list) is not first
    reference = memory.reference("web:1")
    memory.reference("web:2")
    memory.reference("web:3")
    again = memory.reference("web:1")
    assert again == reference
    assert again is not reference


def test_a_text_that_is_no_reference_is_remembered_as_none() -> None:
    memory = PlanMemory()

    assert memory.reference("Bad Image") is None
    assert memory.reference("Bad Image") is None
