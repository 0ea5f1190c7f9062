"""The status API and page: what the updater did for every Application, read-only (``runtime.md`` 6.1).

Belongs here: the documents of the API, the page and its parts. Never: a change of state, a cookie, an asset from
elsewhere. Reads through ``updater.ports.status``.
"""
