"""``python -m sidecar``: the updater with the defaults of a container beside argocd-server."""

from __future__ import annotations

from updater.cli.entry import main

if __name__ == "__main__":
    main()
