"""How words become flags (``runtime.md`` 1.1)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updater.errors import ConfigurationError
from updater.settings.arguments import parse_arguments
from updater.settings.commands import split_command
from updater.settings.table import options_of

RUN = options_of("run")


@pytest.mark.parametrize(
    ("words", "flags", "rest"),
    [
        pytest.param(["--interval", "5m"], {"interval": ("5m",)}, (), id="a value in the next word"),
        pytest.param(["--interval=5m"], {"interval": ("5m",)}, (), id="a value after the equals sign"),
        pytest.param(["--interval", "-5s"], {"interval": ("-5s",)}, (), id="a value may start with a dash"),
        pytest.param(["--interval", "--once"], {"interval": ("--once",)}, (), id="a value may look like a flag"),
        pytest.param(["--kubeconfig="], {"kubeconfig": ("",)}, (), id="an empty value"),
        pytest.param(
            ["--warmup-cache", "false"], {"warmup-cache": ("true",)}, ("false",), id="booleans take no next word"
        ),
        pytest.param(["a", "--once", "b"], {"once": ("true",)}, ("a", "b"), id="flags and arguments mix"),
        pytest.param(["--once", "--", "--dry-run"], {"once": ("true",)}, ("--dry-run",), id="two dashes end flags"),
        pytest.param(["-"], {}, ("-",), id="one dash is an argument"),
        pytest.param(["--loglevel=a=b"], {"loglevel": ("a=b",)}, (), id="only the first equals sign counts"),
    ],
)
def test_words_are_read_as_go_reads_them(
    words: list[str], flags: dict[str, tuple[str, ...]], rest: tuple[str, ...]
) -> None:
    arguments = parse_arguments(words, RUN)
    assert (dict(arguments.flags), arguments.words) == (flags, rest)


@pytest.mark.parametrize(
    ("words", "code", "fragment"),
    [
        pytest.param(["--nonsense"], "unknown_flag", "unknown flag: --nonsense", id="unknown"),
        pytest.param(["--intervall", "5m"], "unknown_flag", "did you mean --interval?", id="nearly right"),
        pytest.param(["--inter", "5m"], "unknown_flag", "unknown flag", id="names are not abbreviated"),
        pytest.param(["-interval", "5m"], "unknown_flag", "two dashes: --interval", id="one dash"),
        pytest.param(["-x"], "unknown_flag", "unknown shorthand flag: 'x' in -x", id="no other shorthand"),
        pytest.param(["--interval"], "missing_value", "flag needs an argument: --interval", id="value missing"),
        pytest.param(["--metrics-bind-address", ":1"], "unknown_flag", "called --metrics-port", id="a flag of 1.x"),
        pytest.param(["--gchr-webhook-secret", "x"], "unknown_flag", "--ghcr-webhook-secret", id="a misspelt page"),
        pytest.param(["--registry_cache_dir=x"], "unknown_flag", "unknown flag", id="underscores"),
        pytest.param(["--image-updater-shutdown-timeout=1s"], "unknown_flag", "unknown", id="a variable is no flag"),
    ],
)
def test_a_mistake_says_what_to_write(words: list[str], code: str, fragment: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_arguments(words, RUN)
    assert caught.value.code == code
    assert fragment in str(caught.value)


def test_help_ends_the_reading() -> None:
    assert parse_arguments(["--once", "-h", "--nonsense"], RUN).wants_help
    with pytest.raises(ConfigurationError):
        parse_arguments(["--nonsense", "-h"], RUN)


@given(st.lists(st.text(max_size=12) | st.sampled_from(["--once", "--interval", "-h", "--", "--loglevel=x"])))
def test_no_words_crash_the_reader(words: list[str]) -> None:
    with contextlib.suppress(ConfigurationError):
        assert set(parse_arguments(words, RUN).flags) <= {option.name for option in RUN}


def test_the_representation_of_arguments_hides_values() -> None:
    assert "hunter22" not in repr(parse_arguments(["--argocd-auth-token", "hunter22"], RUN))


def test_an_unknown_command_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match=r'unknown command "rn".*run') as caught:
        split_command(["rn"])
    assert caught.value.code == "unknown_command"


def test_flags_before_the_command_are_unknown() -> None:
    with pytest.raises(ConfigurationError, match="follow the command") as caught:
        split_command(["--argocd-auth-token=hunter22", "run"])
    assert "hunter22" not in str(caught.value)
