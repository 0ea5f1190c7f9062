"""Argo CD Image Updater for Python: keeps the container images of Argo CD Applications up to date.

A pure function decides; everything else either fetches its inputs or carries out its output, once, at the edge.
The floors, from the data upwards: model, errors, clock | rules | planning, manifests | ports, transport |
argocd, registry, telemetry | writeback | engine | settings, schedule, sidecar | assembly, playground | cli.
A module imports from floors below its own only; the contracts in ``pyproject.toml`` check it.
"""

__version__ = "0.1.0"
BUILD_DATE = "1970-01-01T00:00:00Z"
COMMIT = "unknown"
"""What is not known of a build has a fixed text; a release build writes both."""
