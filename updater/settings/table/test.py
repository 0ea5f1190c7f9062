"""The command ``test``: none of its flags has a variable (``runtime.md`` 1.5).

Where ``run`` has a flag of the same name, the one here differs in its default or has lost its variable.
"""

from __future__ import annotations

from updater.settings.model import Bounds, Kind, Option
from updater.settings.table.process import LOG_LEVELS

_TEST = frozenset({"test"})

TEST = (
    Option(
        "update-strategy",
        Kind.STRING,
        "semver",
        "'semver', 'newest-build', 'alphabetical' or 'digest'",
        commands=_TEST,
    ),
    Option(
        "semver-constraint",
        Kind.STRING,
        "",
        "Versions that are allowed, for example '~1.2'; with the digest strategy the tag to follow",
        commands=_TEST,
    ),
    Option(
        "allow-tags",
        Kind.STRING,
        "",
        "Tags that may compete: 'any' or 'regexp:<expression>'",
        commands=_TEST,
    ),
    Option(
        "ignore-tags",
        Kind.ARRAY,
        (),
        "Tags that may not compete, one glob per flag; may be repeated",
        commands=_TEST,
    ),
    Option(
        "platforms",
        Kind.LIST,
        (),
        "Platforms the image must have, as os/arch or os/arch/variant; may be repeated; "
        "without the flag that of this machine",
        commands=_TEST,
    ),
    Option(
        "credentials",
        Kind.STRING,
        "",
        "Where the registry's credentials are, for example env:VARIABLE, which holds user:password",
        commands=_TEST,
    ),
    Option(
        "rate-limit",
        Kind.INT,
        20,
        "Requests per second to the registry, 0 for no limit; without the flag what the registry's entry says",
        bounds=Bounds(0),
        commands=_TEST,
    ),
    Option(
        "registries-conf-path",
        Kind.STRING,
        "",
        "File that describes registries; without the flag the one of a standard deployment, if it is there",
        commands=_TEST,
    ),
    Option("disable-kubernetes", Kind.BOOL, False, "Never build a Kubernetes client", commands=_TEST),
    Option("kubeconfig", Kind.STRING, "", "Configuration file of the Kubernetes client", commands=_TEST),
    Option("disable-kubernetes-events", Kind.BOOL, False, "Accepted, without effect", commands=_TEST),
    Option(
        "loglevel",
        Kind.STRING,
        "debug",
        "Least level to log: trace, debug, info, warn or error",
        choices=LOG_LEVELS,
        ignores_case=True,
        code="bad_loglevel",
        commands=_TEST,
    ),
)
