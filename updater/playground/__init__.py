"""The other end of every wire, on loopback: an Argo CD API server and an OCI registry with worlds in memory.

Belongs here: servers that the demo shows and the tests talk to, the worlds behind them, and samples to fill those
worlds. Never here: anything the updater needs to run against a real installation, and anything that knows the
engine or an adapter. Imported by the ``demo`` command and by tests; imports nothing above the ports.

A world is changed in one line (``world.revoke(token)``, ``world.conflict_next("UpdateSpec", 3)``) and keeps a log
of what was asked. Servers listen on loopback, on a port the system chooses, and leave nothing behind after
``close()``.
"""
