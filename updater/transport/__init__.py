"""What every adapter that speaks HTTP shares: one connection pool per origin and TLS inputs, trust stores, proxies,
total deadlines and size caps while a body streams, cancellation, and the redaction of texts from outside.

Belongs here: HTTP/1.1 as such. Never: a status code's meaning, authentication, retries, or anything of one server's
protocol. Used by ``updater.argocd``, ``updater.registry``, ``updater.forge``.
"""
