"""Webhooks of registries: from the bytes of a request to an event about a repository (``runtime.md`` 7).

Belongs here: which sender a request comes from, whether it may be believed, what it says, how fast events are handed
on. Never: which Applications use a repository, and what is done about it; that is behind ``updater.ports.nudges``.
"""
