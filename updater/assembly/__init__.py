"""Builds the object graph from settings and owns every ``close()``.

Belongs here: which implementation stands behind which port, and the order of shutting down. Never: behaviour. Used by
the command line, which asks for a runtime and runs it.
"""

from updater.assembly.runtime import Runtime, build_runtime

__all__ = ["Runtime", "build_runtime"]
