"""A mounted ConfigMap and Secret: a folder with one file per key (``runtime.md`` 1.16).

Compared by content, so that it does not matter how a volume swaps its links. All files are read from one version of
the volume: kubelet swaps the link ``..data`` for all keys at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from updater.errors import ConfigurationError
from updater.settings.grammars import Unreadable, read_variable
from updater.settings.model import Option, Value

CODE = "config_dir_invalid"
MAX_FILE_BYTES = 1024 * 1024
"""All that a ConfigMap or Secret can hold."""

MAX_FILES = 1_000

FILE_KEYS = frozenset({"registries.conf", "git.commit-message-template"})
"""Keys whose setting is the path of a file: here that file is the key's own."""

_VERSION_LINK = "..data"
_LOOKS = 2
"""A version that vanishes while it is read has a successor; so does that one hardly ever."""

_NO_TEXTS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class ConfigFolder:
    """The content of a folder: texts by file name, without surrounding blanks. Equal when the content is equal.

    An empty ``path`` stands for no folder at all.
    """

    path: str = ""
    texts: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS, repr=False)

    def place(self, key: str) -> str:
        """The file of a key, as an operator sees it."""
        return str(Path(self.path) / key)

    def value(self, option: Option) -> Value:
        """What the folder says of an option; None when it says nothing.

        Raises ``ConfigurationError`` (``config_dir_invalid``) for a text that the option's grammar refuses.
        """
        text = self.texts.get(option.config_key, "") if option.config_key else ""
        if not text:
            return None
        return self.place(option.config_key) if option.config_key in FILE_KEYS else self._read(option, text)

    def unknown_names(self, options: Iterable[Option]) -> tuple[str, ...]:
        """Files that are no key of any option."""
        return tuple(sorted(self.texts.keys() - {option.config_key for option in options}))

    def _read(self, option: Option, text: str) -> Value:
        value = read_variable(option, text)
        if isinstance(value, Unreadable):
            raise self._refused(option, value.reason)
        shown = value.lower() if isinstance(value, str) and option.ignores_case else value
        if option.choices and shown not in option.choices:
            raise self._refused(option, f"expected one of {', '.join(option.choices)}")
        return value

    def _refused(self, option: Option, why: str) -> ConfigurationError:
        return ConfigurationError(why, where=self.place(option.config_key), code=CODE)


LoadFolder = Callable[[str], ConfigFolder]


def load_config_folder(path: str) -> ConfigFolder:
    """The folder's content as of now. Raises ``ConfigurationError`` (``config_dir_invalid``) naming what is wrong."""
    for look in range(_LOOKS):
        try:
            return ConfigFolder(path, _read_all(Path(path)))
        except FileNotFoundError as error:
            if look == _LOOKS - 1:
                is_there = Path(path).exists()
                raise _invalid(path, "it changes all the time" if is_there else "there is no such folder") from error
        except OSError as error:
            raise _invalid(error.filename or path, error.strerror or "it cannot be read") from error
    raise AssertionError("every look returns or raises")


def _read_all(folder: Path) -> dict[str, str]:
    link = folder / _VERSION_LINK
    version = link.resolve() if link.is_dir() else folder
    files = sorted(file for file in version.iterdir() if not file.name.startswith("."))
    if len(files) > MAX_FILES:
        raise _invalid(str(folder), f"it holds more than {MAX_FILES} files")
    return {file.name: _read(file) for file in files if not file.is_dir()}


def _read(file: Path) -> str:
    with file.open("rb") as stream:
        content = stream.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise _invalid(str(file), f"it is larger than {MAX_FILE_BYTES} bytes")
    try:
        return content.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise _invalid(str(file), "it is not UTF-8 text") from error


def _invalid(path: str, what: str) -> ConfigurationError:
    return ConfigurationError(what, where=path, hint="see --config-dir", code=CODE)
