"""Rules documents from files and folders, all or nothing (``runtime.md`` 9.8).

A file holds one or more documents; of a folder the files ``*.yaml``, ``*.yml`` and ``*.json`` are read in the order of
their names, without hidden ones and without folders inside. One bad file refuses everything: half of the rules would
update what the other half keeps back.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from updater.errors import ConfigurationError
from updater.planning.documents import RulesDocument
from updater.planning.documents_choice import RuleBook
from updater.planning.documents_fields import Problems
from updater.planning.documents_reading import read_documents
from updater.settings.rules_yaml import YamlProblem, read_yaml

SUFFIXES = (".yaml", ".yml", ".json")

MAX_FILE_BYTES = 4 * 1024 * 1024
"""One file; a ConfigMap holds a quarter of that."""

MAX_TOTAL_BYTES = 32 * 1024 * 1024
"""All files of one load, whose texts are held at once."""

MAX_FILES = 1000
"""Files of one load."""

_SHOWN_PROBLEMS = 20
"""Problems named one by one; a file with a mistake in a template has the same one hundreds of times."""


@dataclass(frozen=True, slots=True)
class _Text:
    """The content of one file, under the name that messages use."""

    name: str
    content: str


@dataclass(slots=True)
class _Reading:
    """What has been read so far, good and bad."""

    documents: list[RulesDocument]
    problems: list[str]


def load_rules(paths: Iterable[str]) -> RuleBook:
    """The rules in files and folders; no path means no rules.

    Raises ``ConfigurationError`` (``rules_invalid``) that names every problem by file, document and field.
    """
    return _build(_read_texts(paths))


class RuleFiles:
    """Rules that follow their files. Used by one thread, between rounds.

    ``current`` is what was last read without a problem; the first reading happens at once and raises as
    ``load_rules`` does.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = tuple(paths)
        texts = _read_texts(self._paths)
        self._digest = _digest(texts)
        self.current = _build(texts)

    def refresh(self) -> bool:
        """Read again; whether the rules are others now.

        Raises ``ConfigurationError`` and keeps the rules as they were; once only for a content that cannot be used.
        """
        texts = _read_texts(self._paths)
        digest = _digest(texts)
        if digest == self._digest:
            return False
        self._digest = digest
        self.current = _build(texts)
        return True


def _build(texts: Iterable[_Text]) -> RuleBook:
    reading = _Reading([], [])
    for text in texts:
        _read_text(text, reading)
    reading.problems += _repeats(reading.documents)
    if reading.problems:
        raise _invalid(reading.problems)
    return RuleBook(reading.documents)


def _read_text(text: _Text, reading: _Reading) -> None:
    try:
        documents = read_yaml(text.content)
    except YamlProblem as problem:
        reading.problems.append(f"{text.name}: {problem}")
        return
    found = 0
    for number, document in enumerate(documents, start=1):
        if document.value is None:
            continue
        found += 1
        origin = f"{text.name} document {number} (line {document.line})"
        problems = Problems()
        reading.documents += read_documents(document.value, origin, problems)
        reading.problems += [f"{origin}: {problem}" for problem in problems.found]
    if not found:
        reading.problems.append(f"{text.name}: it holds no document; remove the file or write one")


def _repeats(documents: Iterable[RulesDocument]) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for document in documents:
        key = (document.namespace, document.name)
        if document.name and key in seen:
            yield f"{document.origin}: metadata.name: {document.label!r} is also the name of {seen[key]}"
        seen.setdefault(key, document.origin)


def _digest(texts: Iterable[_Text]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        for part in (text.name, text.content):
            content = part.encode("utf-8", "surrogateescape")
            digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def _read_texts(paths: Iterable[str]) -> tuple[_Text, ...]:
    problems: list[str] = []
    texts: list[_Text] = []
    size = 0
    for file in _files(paths, problems):
        if len(texts) == MAX_FILES or size > MAX_TOTAL_BYTES:
            problems.append(f"{file}: more than {MAX_FILES} files or {MAX_TOTAL_BYTES} bytes in all")
            break
        try:
            content = _read_file(file)
            size += len(content)
            texts.append(_Text(str(file), content))
        except OSError as error:
            problems.append(f"{file}: {error.strerror or 'cannot be read'}")
        except UnicodeDecodeError:
            problems.append(f"{file}: it is not UTF-8 text")
    if problems:
        raise _invalid(problems)
    return tuple(texts)


def _files(paths: Iterable[str], problems: list[str]) -> Iterator[Path]:
    for path in dict.fromkeys(paths):
        root = Path(path)
        try:
            found = sorted(_inside(root)) if root.is_dir() else [root]
        except OSError as error:
            problems.append(f"{path}: {error.strerror or 'cannot be read'}")
            continue
        if not found:
            problems.append(f"{path}: the folder holds no file that ends in {', '.join(SUFFIXES)}")
        yield from found


def _inside(folder: Path) -> Iterator[Path]:
    for file in folder.iterdir():
        # A mounted ConfigMap keeps its versions in hidden folders, to which the visible names are links.
        if file.suffix in SUFFIXES and not file.name.startswith(".") and not file.is_dir():
            yield file


def _read_file(file: Path) -> str:
    if file.exists() and not file.is_file():
        raise OSError(errno.EINVAL, "is neither a file nor a folder")
    with file.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, f"is larger than {MAX_FILE_BYTES} bytes")
    return content.decode("utf-8-sig")


def _invalid(problems: list[str]) -> ConfigurationError:
    shown = "; ".join(problems[:_SHOWN_PROBLEMS])
    rest = len(problems) - _SHOWN_PROBLEMS
    more = f"; and {rest} more" if rest > 0 else ""
    return ConfigurationError(f"Could not load rules: {shown}{more}", code="rules_invalid")
