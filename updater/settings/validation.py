"""Checks of resolved settings that need nothing but the settings (``runtime.md`` 1.13 and 1.14).

Texts hold the fragments that upstream's texts have, because scripts look for them, and name the flag or variable.
"""

from __future__ import annotations

from collections.abc import Mapping

from updater.errors import ConfigurationError
from updater.rules.label_selectors import SelectorError, parse_label_selector
from updater.settings.headers import parse_header
from updater.settings.model import Origin, OriginKind, Platform, Setting
from updater.transport.redaction import Secret

_WITHOUT_CLUSTER = "without a cluster use --applications-api argocd --disable-kubernetes"


def check_settings(found: Mapping[str, Setting], platform: Platform) -> None:
    """Raises ``ConfigurationError`` for the first value that cannot be followed."""
    _check_address(found["argocd_server_addr"])
    _check_selector(found["match_application_label"])
    _check_headers(found["argocd_header"])
    _check_client_certificate(found)
    _check_kubernetes(found, platform)


def check_choices(found: Mapping[str, Setting]) -> None:
    """Raises ``ConfigurationError`` for the first value that is none of the words its option knows."""
    for setting in found.values():
        _check_choice(setting)


def name_source(setting: Setting) -> str:
    """The flag, variable or file to change."""
    if setting.origin.kind is OriginKind.VARIABLE:
        return f"variable {setting.origin.name}"
    if setting.origin.kind is OriginKind.FILE:
        return setting.origin.name
    return f"--{setting.option.name}"


def _check_choice(setting: Setting) -> None:
    option, value = setting.option, setting.value
    if not option.choices or not isinstance(value, str) or (option.may_be_empty and not value):
        return
    if (value.lower() if option.ignores_case else value) in option.choices:
        return
    raise ConfigurationError(
        _refusal(setting, value),
        where=name_source(setting),
        hint=f"expected one of {', '.join(option.choices)}",
        code=option.code,
    )


def _refusal(setting: Setting, value: str) -> str:
    match setting.option.code:
        case "bad_loglevel":
            return f"invalid loglevel {value!r}"
        case "bad_logformat":
            return f"invalid log format {value!r}"
        case "bad_api_kind":
            return f"application api '{value}' is not supported"
    if setting.origin.kind is OriginKind.FLAG:
        return f'invalid argument "{value}" for "--{setting.option.name}" flag'
    return f"invalid value {value!r}"


def _check_address(setting: Setting) -> None:
    """A password in the address would be in every line about the connection, so it gets no further than here."""
    text = str(setting.value)
    before, at, host = text.rpartition("@")
    # A password may hold a slash, so that what stands before it looks like the host.
    if at and ("@" in text.rpartition("://")[2].partition("/")[0] or "/" not in host.rstrip("/")):
        scheme = before.partition("://")[0] + "://" if "://" in before else ""
        raise ConfigurationError(
            "the Argo CD server address cannot be used: it holds user info",
            where=f"{name_source(setting)} '{scheme}***@{host}'",
            hint="give a token with ARGOCD_TOKEN or --argocd-auth-token-file",
            code="bad_argocd_address",
        )


def _check_selector(setting: Setting) -> None:
    try:
        parse_label_selector(str(setting.value))
    except SelectorError as error:
        raise ConfigurationError(
            error.what, where=name_source(setting), hint=error.hint, code="bad_selector"
        ) from error


def _check_headers(setting: Setting) -> None:
    for header in setting.value if isinstance(setting.value, tuple) else ():
        if isinstance(header, Secret):
            parse_header(header, name_source(setting))


def _check_client_certificate(found: Mapping[str, Setting]) -> None:
    certificate, key = found["argocd_client_crt"], found["argocd_client_crt_key"]
    if bool(certificate.value) == bool(key.value):
        return
    given, missing = (certificate, key) if certificate.value else (key, certificate)
    raise ConfigurationError(
        f"a client certificate needs both files, --{missing.option.name} is missing",
        where=name_source(given),
        code="tls_invalid",
    )


def _check_kubernetes(found: Mapping[str, Setting], platform: Platform) -> None:
    wants_cluster = found["applications_api"].value == "kubernetes"
    if found["disable_kubernetes"].value:
        if wants_cluster:
            raise _kubernetes_required(found["applications_api"].origin)
        return
    is_named = bool(found["kubeconfig"].value)
    if platform.kubernetes_namespace is None and (wants_cluster or is_named):
        why = f": {platform.kubernetes_problem}" if platform.kubernetes_problem else ""
        where = "--kubeconfig" if is_named else name_source(found["applications_api"])
        raise ConfigurationError(
            f"could not create K8s client{why}", where=where, hint=_WITHOUT_CLUSTER, code="no_kube_client"
        )


def _kubernetes_required(origin: Origin) -> ConfigurationError:
    chosen = "" if origin.is_explicit else ", which is the default,"
    return ConfigurationError(
        f"--applications-api kubernetes{chosen} needs the Kubernetes client that --disable-kubernetes switches off",
        hint="use --applications-api argocd, or leave out --disable-kubernetes",
        code="kubernetes_required",
    )
