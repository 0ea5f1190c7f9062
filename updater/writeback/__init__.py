"""One change set into one result: fields through the Argo CD API, later files through a Git workspace.

Belongs here: the order of reading, comparing, writing and looking again; which failures end it. Never: what to change,
an adapter, or a protobuf message. Used by ``updater.engine``, which sees the port only.
"""
