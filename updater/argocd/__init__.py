"""The Argo CD API: gRPC-Web and native channels, the client, and its messages turned into model types.

Belongs here: bytes, statuses, tokens and messages of the API server. Never: what to update, when, or how often to try
a write again; a protobuf message or a gRPC object never leaves this package. Used by ``updater.assembly``.
"""
