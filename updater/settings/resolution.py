"""From arguments, variables and facts to settings: pure, so that a table of cases can drive it.

The order of strength is flag, variable, mounted file, default; a special place to run in may bring defaults of its
own.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from updater.errors import ConfigurationError
from updater.model.report import Warned
from updater.settings.arguments import Arguments, parse_arguments
from updater.settings.commands import split_command
from updater.settings.config_folder import ConfigFolder, LoadFolder, load_config_folder
from updater.settings.git_identity import check_identity, identity_remarks
from updater.settings.grammars import Unreadable, read_flag, read_variable
from updater.settings.model import (
    Kind,
    Option,
    Origin,
    OriginKind,
    Platform,
    Resolution,
    Setting,
    Settings,
    Value,
)
from updater.settings.table import OPTIONS, options_of
from updater.settings.validation import check_choices, check_settings
from updater.transport.redaction import Secret

_LOW_INTERVAL_S = 60.0
_FALLBACK_SERVER = "argocd-server.argocd"
_TAKES_WORDS = frozenset({"completion", "plan", "template", "test"})
"""Commands that have a use for words beside flags, and say so themselves when they do not like them."""

_CONNECTED = frozenset({"run", "webhook", "plan", "doctor"})
"""Commands that work with Applications, so that the settings of the connection have to be good."""

_LOOKING: tuple[tuple[str, Value], ...] = (
    ("once", True),
    ("interval", 0.0),
    ("mode", "cycle"),
    ("health_port", 0),
    ("metrics_port", 0),
    ("status_addr", ""),
    ("enable_webhook", False),
)
_OVERRULED: Mapping[str, tuple[tuple[str, Value], ...]] = MappingProxyType(
    {"plan": (("dry_run", True), *_LOOKING), "doctor": _LOOKING}
)
"""Settings that a command decides itself: one that only looks writes nothing and listens nowhere."""

_NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})


def resolve_command_line(words: Sequence[str], environment: Mapping[str, str], platform: Platform) -> Resolution:
    """Settings of a whole command line, the command first; raises ``ConfigurationError`` (``runtime.md`` 1.14)."""
    command, rest = split_command(words)
    if command is None:
        raise ConfigurationError("no command is given", code="unknown_command")
    return resolve(command.name, parse_arguments(rest, options_of(command.name)), environment, platform=platform)


def resolve(
    command: str,
    arguments: Arguments,
    environment: Mapping[str, str],
    *,
    platform: Platform,
    place: Mapping[str, str] = _NO_DEFAULTS,
    load_folder: LoadFolder = load_config_folder,
) -> Resolution:
    """Settings of one command.

    ``place`` are defaults of where the program runs, by option name, written as flags are. ``load_folder`` reads the
    folder that ``--config-dir`` names. Raises ``ConfigurationError`` with a code of ``runtime.md`` 1.14 that names the
    flag, variable or file.
    """
    options = options_of(command)
    places = _Places(command, arguments, environment, place)
    places.folder = _folder(places, options, load_folder)
    places.remark_folder()
    found = {option.key: places.find(option) for option in options}
    warnings = places.warnings
    check_choices(found)
    if command in _CONNECTED:
        _apply_once(found)
        _overrule(found, command)
        _compute(found, platform)
        check_settings(found, platform)
        check_identity(found)
        warnings += identity_remarks(found)
    warnings += [_stray(word) for word in arguments.words if command not in _TAKES_WORDS]
    warnings += _remarks(found, platform)
    return Resolution(Settings(command, MappingProxyType(found)), tuple(warnings))


def _folder(places: _Places, options: Sequence[Option], load: LoadFolder) -> ConfigFolder:
    """The folder that a flag or variable names."""
    for option in options:
        if option.key == "config_dir":
            path = places.find(option).value
            return load(path) if isinstance(path, str) and path else ConfigFolder()
    return ConfigFolder()


@dataclass(slots=True)
class _Places:
    """Where values can come from, strongest first."""

    command: str
    arguments: Arguments
    environment: Mapping[str, str]
    place: Mapping[str, str]
    folder: ConfigFolder = field(default_factory=ConfigFolder)
    warnings: list[Warned] = field(default_factory=list)

    def find(self, option: Option) -> Setting:
        if option.has_flag and option.name in self.arguments.flags:
            origin = Origin(OriginKind.FLAG, f"--{option.name}")
            return Setting(option, read_flag(option, self.arguments.flags[option.name]), origin)
        from_variable = self._from_variable(option)
        if from_variable is not None:
            return Setting(option, from_variable, Origin(OriginKind.VARIABLE, option.variable))
        from_file = self.folder.value(option)
        if from_file is not None:
            return Setting(option, from_file, Origin(OriginKind.FILE, self.folder.place(option.config_key)))
        if option.name in self.place:
            return Setting(option, read_flag(option, (self.place[option.name],)), Origin(OriginKind.PLACE, "sidecar"))
        return Setting(option, _default(option, self.command), Origin())

    def _from_variable(self, option: Option) -> Value:
        if not option.variable or option.variable not in self.environment:
            return None
        value = read_variable(option, self.environment[option.variable])
        if isinstance(value, Unreadable):
            text = f"variable {option.variable} is ignored: {value.reason}; the default is used"
            self.warnings.append(Warned(f"env:{option.variable}", text))
            return None
        return value

    def remark_folder(self) -> None:
        """Files that nobody reads: a spelling mistake would otherwise be a default in silence."""
        keys = [option.config_key for option in OPTIONS if option.config_key]
        for name in self.folder.unknown_names(OPTIONS):
            near = difflib.get_close_matches(name, keys, n=1, cutoff=0.75)
            guess = f"; did you mean {near[0]}?" if near else ""
            text = f"{self.folder.place(name[:80])} is no key of a setting and is not read{guess}"
            self.warnings.append(Warned("unknown_key", text))


def _default(option: Option, command: str) -> Value:
    value = option.default_for(command)
    is_hidden_text = option.is_secret and option.kind is Kind.STRING
    return Secret(str(value)) if is_hidden_text else value


def _apply_once(found: dict[str, Setting]) -> None:
    """``--once`` sets the interval and the health port to 0, the mode to cycle and the status page off.

    Source: ``runtime.md`` 1.3 and 1.13; the metrics server stays.
    """
    if "once" not in found or not found["once"].value:
        return
    origin = found["once"].origin
    for key, value in (("interval", 0.0), ("health_port", 0), ("mode", "cycle"), ("status_addr", "")):
        found[key] = Setting(found[key].option, value, origin)


def _overrule(found: dict[str, Setting], command: str) -> None:
    for key, value in _OVERRULED.get(command, ()):
        found[key] = Setting(found[key].option, value, Origin(OriginKind.PLACE, command))


def _compute(found: dict[str, Setting], platform: Platform) -> None:
    """Values whose default depends on other values."""
    namespace = None if found["disable_kubernetes"].value else platform.kubernetes_namespace
    if namespace is not None and not found["argocd_namespace"].value:
        found["argocd_namespace"] = _computed(found["argocd_namespace"], namespace)
    if not found["argocd_server_addr"].value:
        owner = found["argocd_namespace"].value
        server = _FALLBACK_SERVER if namespace is None else f"argocd-server.{owner}"
        found["argocd_server_addr"] = _computed(found["argocd_server_addr"], server)
    _compute_token(found)


def _compute_token(found: dict[str, Setting]) -> None:
    """Blanks around a token are trimmed; the variable of the Argo CD command line comes after the token file."""
    token, fallback = found["argocd_auth_token"], found["argocd_auth_token_fallback"]
    names_file = found["argocd_auth_token_file"].origin.is_explicit and bool(found["argocd_auth_token_file"].value)
    if token.origin.kind is OriginKind.FILE and names_file:
        # A file that a flag or variable names is stronger than the mounted one.
        token = Setting(token.option, Secret(""), Origin())
    source = token if token.value or names_file else fallback
    if isinstance(source.value, Secret):
        found["argocd_auth_token"] = Setting(token.option, Secret(source.value.reveal().strip()), source.origin)


def _computed(setting: Setting, value: str) -> Setting:
    return Setting(setting.option, value, Origin())


def _remarks(found: Mapping[str, Setting], platform: Platform) -> list[Warned]:
    remarks = [
        _secret_flag(setting.option)
        for setting in found.values()
        if setting.option.is_secret and setting.origin.kind is OriginKind.FLAG
    ]
    if "fail_on_error" in found and found["fail_on_error"].value:
        remarks += _about_status(found)
    if "match_application_name" in found:
        remarks += _malformed_patterns(found["match_application_name"])
    if "mode" in found and found["mode"].value == "cycle":
        remarks += _low_interval(found["interval"].value)
    if "applications_api" in found:
        remarks += _about_kubernetes(found, platform)
    return remarks


def _about_status(found: Mapping[str, Setting]) -> list[Warned]:
    if not found["interval"].value and found["mode"].value == "cycle":
        return []
    text = "--fail-on-error has no effect on rounds that repeat and in continuous mode; it belongs to --once"
    return [Warned("no_effect", text)]


def _stray(word: str) -> Warned:
    hint = ""
    if word in ("true", "false"):
        hint = "; a boolean flag takes its value after '=', as in --warmup-cache=false"
    elif any(option.name == word and option.has_flag for option in OPTIONS):
        hint = f"; did you mean --{word}?"
    return Warned("stray_argument", f"argument {word!r} is ignored{hint}")


def _secret_flag(option: Option) -> Warned:
    text = f"--{option.name} can be read by everybody on this machine; use the variable {option.variable}"
    return Warned("secret_flag", text)


def _malformed_patterns(setting: Setting) -> list[Warned]:
    patterns = setting.value if isinstance(setting.value, tuple) else ()
    if not patterns:
        return []
    from updater.rules.name_patterns import compile_name_patterns  # noqa: PLC0415 - brings re2, the version does not

    compiled = compile_name_patterns(pattern for pattern in patterns if isinstance(pattern, str))
    text = "--match-application-name: the pattern {!r} is malformed and matches nothing"
    return [Warned("bad_pattern", text.format(pattern[:80])) for pattern in compiled.malformed]


def _low_interval(value: Value) -> list[Warned]:
    if not isinstance(value, float) or not 0 < value < _LOW_INTERVAL_S:
        return []
    return [Warned("low_interval", "--interval is below one minute: registries may limit the number of requests")]


def _about_kubernetes(found: Mapping[str, Setting], platform: Platform) -> list[Warned]:
    remarks: list[Warned] = []
    uses_argocd = found["applications_api"].value == "argocd"
    if uses_argocd and not found["disable_kubernetes"].value and platform.kubernetes_namespace is None:
        text = "going on without Kubernetes: no client could be built; --disable-kubernetes says that this is meant"
        remarks.append(Warned("no_kubernetes", text))
    if uses_argocd and found["application_namespace"].value:
        text = "--application-namespace is ignored with --applications-api argocd"
        remarks.append(Warned("ignored_flag", text))
    return remarks
