"""Values files as people and attackers have them, in one repository and one batch: edited in place, or refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.git.bench import Bench, BenchOptions, intent_for
from updater.model.changes import WriteBackResult, WriteOutcome
from updater.playground.git_remote import BareRepository

_BOMB = "a: &a [x, x]\nb: &b [*a, *a]\n" + "".join(
    f"c{number}: &c{number} [*{'b' if number == 0 else f'c{number - 1}'}, *b]\n" for number in range(40)
)


@dataclass(frozen=True)
class Row:
    """``after`` is what of ``before`` is replaced by what, or the code of the refusal."""

    before: str
    after: tuple[str, str] | str


EDIT = ("1.0.0", "2.0.0")
ROWS = {
    "tabs where YAML has room for them": Row("image:\t# c\n  tag:\t1.0.0\t# c\n", EDIT),
    "tabs for indentation": Row("image:\n\ttag: 1.0.0\n", "parse_error"),
    "a repeated key": Row("image:\n  tag: 0.9.0\n  tag: 1.0.0\n", EDIT),
    "a repeated mapping": Row("image:\n  tag: 0.9.0\nother: 1\nimage:\n  tag: 1.0.0\n", EDIT),
    "several documents": Row("# c\n---\nimage:\n  tag: 1.0.0\n---\nimage:\n  tag: 0.9.0\n...\n", EDIT),
    "an anchored value": Row("image:\n  tag: &t 1.0.0 # c\nother: *t\n", EDIT),
    "a mapping behind an alias": Row("base: &b\n  tag: 1.0.0\nimage: *b\n", EDIT),
    "a key from a merge": Row("base: &b {tag: 0.9.0}\nimage:\n  <<: *b\n", ("  <<: *b\n", "  <<: *b\n  tag: 2.0.0\n")),
    "a mapping that holds itself": Row("image: &i\n  tag: 1.0.0\n  me: *i\n", EDIT),
    "a bomb of aliases": Row(f"{_BOMB}image:\n  tag: 1.0.0\n", EDIT),
    "nesting without end": Row(f"x: {'[' * 5000}{']' * 5000}\nimage:\n  tag: 1.0.0\n", "parse_error"),
    "CRLF, a BOM and no final newline": Row("\ufeffimage:\r\n  tag: 1.0.0", EDIT),
    "flow style, as JSON": Row('{"image": {"tag": "1.0.0", "x": [1, 2]}}', EDIT),
    "characters beyond ASCII before the value": Row("ä: ö😀\nimage: {x: 'é', tag: 1.0.0}\n", EDIT),
    "a block scalar for a tag": Row("image:\n  tag: |\n    1.0.0\n  x: 1\n", ("|\n    1.0.0\n", "2.0.0\n")),
    "a tag that is a mapping": Row("image:\n  tag: {x: 1}\n", "not_a_scalar"),
    "an image that is a list": Row("image:\n- tag: 1.0.0\n", "index_required"),
    "a NUL": Row("image:\n  tag: 1.0.0\0\n", "parse_error"),
    "templates of Helm": Row("image:\n  tag: {{ .Values.tag }}\n", "not_a_scalar"),
    "a list at the root": Row("- image\n", "root_not_mapping"),
    "encrypted": Row("image:\n  tag: ENC[AES256_GCM,data:x]\nsops:\n  mac: x\n", "target_is_encrypted"),
}


def _path(name: str) -> str:
    return f"apps/{list(ROWS).index(name)}/values.yaml"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> BareRepository:
    made = BareRepository(tmp_path_factory.mktemp("awkward"))
    made.commit({_path(name): row.before for name, row in ROWS.items()})
    return made


@pytest.fixture(scope="module")
def results(repository: BareRepository) -> Iterator[dict[str, WriteBackResult]]:
    """One batch of an Application per row."""
    bench = Bench(BenchOptions(), threading.Event())
    intents = [
        intent_for(repository.url, "2.0.0", app=f"app{number}", path=_path(name)) for number, name in enumerate(ROWS)
    ]
    yield dict(zip(ROWS, bench.write(*intents), strict=True))
    bench.close()


@pytest.mark.parametrize("name", ROWS)
def test_a_file_is_edited_in_place_or_refused_alone(
    repository: BareRepository, results: dict[str, WriteBackResult], name: str
) -> None:
    row, result = ROWS[name], results[name]
    if isinstance(row.after, str):
        assert result.error_code == row.after
        assert _stored(repository, name) == row.before
    else:
        assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
        assert _stored(repository, name) == row.before.replace(*row.after)


def _stored(repository: BareRepository, name: str) -> str:
    """The very bytes, decoded."""
    return repository.git("cat-file", "blob", f"main:{_path(name)}")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_file_of_five_megabytes_is_edited_in_place(repository: BareRepository) -> None:
    lines = "".join(f"setting{number:06}: a value of a usual length, {number}\n" for number in range(110_000))
    before = f"{lines}image:\n  tag: 1.0.0 # c\n"
    repository.commit({"large/values.yaml": before})
    bench = Bench(BenchOptions(), threading.Event())
    result = bench.write_one(intent_for(repository.url, "2.0.0", path="large/values.yaml"))
    bench.close()
    assert len(before) > 5_000_000
    assert (result.error, result.outcome) == ("", WriteOutcome.WRITTEN)
    assert repository.read("large/values.yaml") == before.replace(*EDIT)
