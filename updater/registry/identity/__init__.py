"""Identities that a cloud gives to this process, traded for credentials of the cloud's registry.

Belongs here: one module per cloud, each behind an extra of its own whose library is loaded when a source of that type
is first read. Never: keeping what was fetched (``updater.registry.credential_cache``) or deciding where it is sent.
The libraries read the process's environment, files and metadata services by their own rules.
"""
