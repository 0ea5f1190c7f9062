"""The lists of settings in manifests: every key of ConfigMap and Secret with the variable that it becomes.

They stand between two comments, so that a new key reaches every manifest by ``make docs``, and the rest of a file is
written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from updater.settings.model import Option
from updater.settings.table import options_of

_CONFIG = Path(__file__).resolve().parents[1] / "config"
_BEGIN = "# Settings, written by `make docs`."
_END = "# End of settings."
_TOKEN = "ARGOCD_TOKEN"  # noqa: S105 - the name of a variable
_RUN, _WEBHOOK = "run", "webhook"

_ENTRY = """\
- name: {variable}
  valueFrom:
    {kind}:
      name: {name}
      key: {key}
      optional: true"""


def _in_deployment(path: Path, command: str) -> str:
    """A Deployment, or a patch of one, with a variable for every key that the command knows."""
    return _replace_lists(path, ["\n".join(_ENTRY.format(**_entry(option)) for option in _with_keys(command))])


def _entry(option: Option) -> Mapping[str, str]:
    kind, name = ("secretKeyRef", "secret") if option.is_secret else ("configMapKeyRef", "config")
    named = f"argocd-image-updater-{name}"
    return {"variable": option.variable, "kind": kind, "name": named, "key": option.config_key}


def _in_helpers(path: Path) -> str:
    """The chart's templates with both lists, without the token, whose Secret has a name of its own."""
    options = _with_keys(_RUN)
    plain = (option for option in options if not option.is_secret)
    secret = (option for option in options if option.is_secret and option.variable != _TOKEN)
    return _replace_lists(path, [_lines(plain), _lines(secret)])


def _lines(options: Iterable[Option]) -> str:
    return "\n".join(f"{option.variable}: {option.config_key}" for option in options)


def _with_keys(command: str) -> tuple[Option, ...]:
    return tuple(option for option in options_of(command) if option.config_key and option.variable)


def _replace_lists(path: Path, texts: list[str]) -> str:
    """The file with these texts between the comments, indented as the comments are."""
    kept: list[str] = []
    is_inside = False
    waiting = iter(texts)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() == _BEGIN:
            is_inside = True
            indent = line.removesuffix(_BEGIN)
            kept += [line, *(indent + text for text in next(waiting).splitlines())]
        is_inside = is_inside and line.strip() != _END
        if not is_inside:
            kept.append(line)
    return "\n".join([*kept, ""])


def _deployment(folder: str, name: str, command: str) -> tuple[Path, Callable[[], str]]:
    path = _CONFIG / folder / f"{name}-deployment.yaml"
    return path, partial(_in_deployment, path, command)


_HELPERS = _CONFIG / "chart" / "templates" / "_helpers.tpl"

FILES: Mapping[Path, Callable[[], str]] = MappingProxyType(
    dict(
        [
            _deployment("base/deployment", "argocd-image-updater", _RUN),
            _deployment("sidecar-argocd", "argocd-server", _RUN),
            _deployment("sidecar-webhook", "argocd-image-updater", _WEBHOOK),
            (_HELPERS, partial(_in_helpers, _HELPERS)),
        ]
    )
)
"""The files with such lists, and what makes their texts."""
