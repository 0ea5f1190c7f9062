"""The mounted configuration while the process runs: what changed, and whether that holds at once (``runtime.md`` 1.16).

Compared by content when asked. Content that cannot be used keeps what was good before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from updater.model.report import Warned
from updater.settings.config_folder import FILE_KEYS, ConfigFolder, load_config_folder
from updater.settings.model import OriginKind, Resolution, Setting, Settings
from updater.settings.webhooks import SECRET_SETTINGS

LOOK_EVERY_S = 30.0
"""How often the owner of a ``LiveFolder`` should ask."""

TEMPLATE = "git_commit_message_path"
TOKEN = "argocd_auth_token"  # noqa: S105 - the name of a setting
_AT_ONCE = frozenset(
    {
        "loglevel",
        "interval",
        TOKEN,
        TEMPLATE,
        "webhook_ratelimit_allowed",
        "git_commit_user",
        "git_commit_email",
        "git_commit_sign_off",
        *SECRET_SETTINGS.values(),
    }
)
"""Settings that hold from the moment on in which they change; all others are read once."""

ResolveWith = Callable[[ConfigFolder], Resolution]


@dataclass(frozen=True, slots=True)
class FolderChange:
    """What a change of the folder means.

    ``settings`` are those that hold from now on: ``applied`` ones are new, ``waiting`` ones need a restart first.
    """

    settings: Settings
    applied: tuple[Setting, ...] = ()
    waiting: tuple[Setting, ...] = ()
    warnings: tuple[Warned, ...] = ()


class LiveFolder:
    """Settings that hold now. For one thread."""

    def __init__(self, resolution: Resolution, resolve_with: ResolveWith) -> None:
        self._seen = self._running = resolution.settings
        self._warned = set(resolution.warnings)
        self._resolve_with = resolve_with
        self._path = resolution.settings.text("config_dir")
        self._folder = ConfigFolder(self._path)
        self._template: str | None = None

    def refresh(self) -> FolderChange | None:
        """None while nothing changes. Raises ``ConfigurationError``, then nothing has changed."""
        folder = load_config_folder(self._path)
        if folder == self._folder:
            return None
        resolution = self._resolve_with(folder)
        before, self._seen, self._folder = self._seen, resolution.settings, folder
        changed = [setting for setting in resolution.settings.by_key.values() if _differs(before, setting)]
        if self._is_template_new(folder) and not any(setting.option.key == TEMPLATE for setting in changed):
            changed.append(resolution.settings[TEMPLATE])
        applied = tuple(setting for setting in changed if _holds_at_once(before, setting))
        self._running = _with(self._running, applied)
        warnings = tuple(warning for warning in resolution.warnings if warning not in self._warned)
        self._warned.update(warnings)
        return FolderChange(
            self._running,
            applied,
            tuple(setting for setting in changed if not _holds_at_once(before, setting)),
            warnings,
        )

    def _is_template_new(self, folder: ConfigFolder) -> bool:
        """Whether the text of the template changed, of which the settings only know the path."""
        (key,) = (key for key in FILE_KEYS if key.startswith("git."))
        seen, self._template = self._template, folder.texts.get(key, "")
        return seen is not None and seen != self._template and self._seen[TEMPLATE].origin.kind is OriginKind.FILE


def _with(running: Settings, applied: tuple[Setting, ...]) -> Settings:
    by_key = {**running.by_key, **{setting.option.key: setting for setting in applied}}
    return Settings(running.command, MappingProxyType(by_key))


def _differs(before: Settings, setting: Setting) -> bool:
    return before[setting.option.key].value != setting.value


def _holds_at_once(before: Settings, setting: Setting) -> bool:
    key, old = setting.option.key, before[setting.option.key]
    if key == TOKEN:
        # Its file is followed, so it has to be there before and after.
        return old.origin.kind is setting.origin.kind is OriginKind.FILE
    if key == "interval":
        # Nought means one round: another kind of run.
        return bool(old.value) and bool(setting.value)
    return key in _AT_ONCE
