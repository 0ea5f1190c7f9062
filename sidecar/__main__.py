"""``python -m sidecar``: ``argocd-image-updater run`` with the defaults of a container beside argocd-server."""

from __future__ import annotations

from updater.cli.entry import main_beside_server

if __name__ == "__main__":
    main_beside_server()
