"""Which Applications are looked at, and the Kubernetes client."""

from __future__ import annotations

from updater.settings.model import Kind, Option

FLEET = (
    Option(
        "argocd-namespace",
        Kind.STRING,
        "",
        "Namespace Argo CD runs in; without it that of the Kubernetes client",
        variable="ARGOCD_NAMESPACE",
        config_key="argocd.namespace",
    ),
    Option(
        "application-namespace",
        Kind.STRING,
        "",
        "Look for Applications in one namespace only; with the Kubernetes API",
    ),
    Option(
        "match-application-name",
        Kind.LIST,
        (),
        "Only Applications whose name fits one of these patterns, for example 'team-*'; may be repeated",
    ),
    Option(
        "match-application-label",
        Kind.STRING,
        "",
        "Only Applications whose labels fit this selector, for example 'tier=gold,!frozen'",
    ),
    Option(
        "annotations",
        Kind.BOOL,
        True,
        "Follow the annotations of Applications that no rules document matches",
    ),
    Option(
        "rules",
        Kind.ARRAY,
        (),
        "File or folder with rules documents; may be repeated, colon-separated in the variable",
        variable="IMAGE_UPDATER_RULES",
        variable_separator=":",
    ),
    Option("disable-kubernetes", Kind.BOOL, False, "Never build a Kubernetes client"),
    Option("kubeconfig", Kind.STRING, "", "Configuration file of the Kubernetes client"),
    Option(
        "disable-kube-events",
        Kind.BOOL,
        False,
        "Write no Kubernetes events; note that the variable set to true switches events off as well",
        variable="IMAGE_UPDATER_KUBE_EVENTS",
        config_key="kube.events",
    ),
)
