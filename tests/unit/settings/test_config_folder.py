"""A mounted ConfigMap and Secret: one file per key, weaker than flags and variables, read as one version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updater.errors import ConfigurationError
from updater.settings.config_folder import MAX_FILE_BYTES, ConfigFolder, load_config_folder
from updater.settings.model import Option, Platform, Resolution, Value
from updater.settings.parts import connection_settings, secret_values
from updater.settings.resolution import resolve_command_line
from updater.settings.table import OPTIONS
from updater.transport.redaction import Secret

Mount = Callable[..., Path]


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    """Mounts a volume as kubelet does: files behind a link that is swapped for all of them at once."""

    def mounted(**texts: str) -> Path:
        version = tmp_path / f"..version-{len(list(tmp_path.glob('..version-*')))}"
        version.mkdir()
        for key, text in texts.items():
            name = key.replace("__", ".")
            (version / name).write_text(text)
            if not (tmp_path / name).is_symlink():
                (tmp_path / name).symlink_to(Path("..data") / name)
        link = tmp_path / "..next"
        link.symlink_to(version.name)
        link.rename(tmp_path / "..data")
        return tmp_path

    return mounted


def resolve(folder: Path, *words: str, **environment: str) -> Resolution:
    base = ["run", "--disable-kubernetes", "--applications-api", "argocd", "--config-dir", str(folder)]
    return resolve_command_line([*base, *words], environment, Platform())


def test_files_give_values_with_their_origin(mount: Mount) -> None:
    folder = mount(interval="5m\n", log__level="DEBUG", argocd__grpc_web="true", argocd__token=" planted-token \n")
    settings = resolve(folder).settings

    assert settings.seconds("interval") == 300.0
    assert settings.is_on("argocd_grpc_web")
    assert str(settings["interval"].origin) == f"file {folder}/interval"
    assert settings["argocd_auth_token"].value == Secret("planted-token")
    assert "planted-token" in secret_values(settings)


@pytest.mark.parametrize(
    ("words", "environment", "expected", "origin"),
    [
        pytest.param(("--interval", "1m"), {"IMAGE_UPDATER_INTERVAL": "2m"}, 60.0, "flag", id="a flag wins"),
        pytest.param((), {"IMAGE_UPDATER_INTERVAL": "2m"}, 120.0, "variable", id="a variable wins"),
        pytest.param((), {"IMAGE_UPDATER_INTERVAL": "soon"}, 300.0, "file", id="a variable of no use does not"),
        pytest.param((), {}, 300.0, "file", id="a file wins over the default"),
    ],
)
def test_flags_and_variables_are_stronger(
    mount: Mount, words: tuple[str, ...], environment: dict[str, str], expected: float, origin: str
) -> None:
    setting = resolve(mount(interval="5m"), *words, **environment).settings["interval"]

    assert (setting.value, setting.origin.kind.value) == (expected, origin)


def test_a_mounted_token_is_followed_by_its_file_and_weaker_than_a_named_one(mount: Mount) -> None:
    folder = mount(argocd__token="mounted")

    mounted = connection_settings(resolve(folder).settings)
    assert (mounted.token, mounted.token_file) == (Secret(""), f"{folder}/argocd.token")
    named = connection_settings(resolve(folder, ARGOCD_TOKEN_FILE="/run/token").settings)
    assert (named.token, named.token_file) == (Secret(""), "/run/token")
    given = connection_settings(resolve(folder, ARGOCD_TOKEN="given").settings)
    assert given.token == Secret("given")
    assert connection_settings(resolve(folder, ARGOCD_AUTH_TOKEN="last").settings).token_file.endswith("argocd.token")


def test_keys_that_are_files_stay_files(mount: Mount) -> None:
    folder = mount(registries__conf="registries: []", **{"git__commit-message-template": "x"})
    settings = resolve(folder).settings

    assert settings.text("registries_conf_path") == f"{folder}/registries.conf"
    assert settings.text("git_commit_message_path") == f"{folder}/git.commit-message-template"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        pytest.param("interval", "5", id="a duration without a unit"),
        pytest.param("interval", "-5m", id="a duration below the bounds"),
        pytest.param("argocd.grpc_web", "yes", id="a boolean of another language"),
        pytest.param("log.level", "loud", id="a word that is none of the choices"),
        pytest.param("webhook.port", "http", id="a number"),
    ],
)
def test_a_value_that_its_grammar_refuses_is_an_error_that_names_the_file(tmp_path: Path, key: str, text: str) -> None:
    (tmp_path / key).write_text(text)

    with pytest.raises(ConfigurationError) as caught:
        resolve(tmp_path)

    assert caught.value.code == "config_dir_invalid"
    assert str(caught.value).startswith(f"{tmp_path}/{key}: ")


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such folder; see --config-dir"):
        resolve(tmp_path / "none")


def test_unknown_names_warn_and_empty_files_count_as_unset(mount: Mount) -> None:
    resolution = resolve(mount(intervall="5m", interval=" \n"))

    assert resolution.settings.seconds("interval") == 120.0
    (warning,) = [each for each in resolution.warnings if each.kind == "unknown_key"]
    assert warning.text.endswith("intervall is no key of a setting and is not read; did you mean interval?")


def test_a_swap_of_the_volume_is_seen_as_a_whole(mount: Mount) -> None:
    folder = mount(interval="5m", log__level="info")
    before = load_config_folder(str(folder))
    mount(interval="6m", log__level="debug")
    after = load_config_folder(str(folder))

    assert (dict(before.texts), dict(after.texts)) == (
        {"interval": "5m", "log.level": "info"},
        {"interval": "6m", "log.level": "debug"},
    )
    mount(interval="6m", log__level="debug")
    assert load_config_folder(str(folder)) == after


@pytest.mark.parametrize("kind", ["missing", "a file", "too large", "not text"])
def test_a_folder_of_no_use_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "config"
    if kind == "a file":
        folder.write_text("")
    elif kind != "missing":
        folder.mkdir()
        content = b"x" * (MAX_FILE_BYTES + 1) if kind == "too large" else b"\xff\xfe"
        (folder / "interval").write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        resolve(folder)

    assert caught.value.code == "config_dir_invalid"


def test_every_key_belongs_to_one_setting_of_run() -> None:
    keys = [option.config_key for option in OPTIONS if option.config_key and "run" in option.commands]
    assert len(keys) == len(set(keys))


@given(option=st.sampled_from([option for option in OPTIONS if option.config_key]), text=st.text(min_size=1))
@settings(max_examples=150)
def test_any_text_is_a_value_or_an_error_that_names_its_file(option: Option, text: str) -> None:
    folder = ConfigFolder("/conf", {option.config_key: text})
    found: Value | ConfigurationError
    try:
        found = folder.value(option)
    except ConfigurationError as error:
        found = error

    if isinstance(found, ConfigurationError):
        assert (found.code, found.where) == ("config_dir_invalid", f"/conf/{option.config_key}")
    else:
        assert found is not None
        assert not option.is_secret or isinstance(found, Secret)
