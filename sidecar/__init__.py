"""The face to the world beside the updating itself, and the entrance for a container beside argocd-server.

Belongs here: what answers over HTTP. Never: the engine or an adapter; only ``__main__`` may reach up to the command
line, to start it with the defaults of that place.
"""
