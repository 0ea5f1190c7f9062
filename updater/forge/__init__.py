"""Pull and merge requests: one client per forge behind ``updater.ports.forge.RequestForge``.

Belongs here: addresses, headers, bodies and errors of the forges' HTTP APIs. Never: when a request is wanted, what its
text says, where tokens are kept. Used by ``updater.assembly`` alone; everything that is HTTP comes from
``updater.transport``.
"""
