"""Commands, flags, and output for people: the only place that imports click and rich, where a command needs them.

Belongs here: reading arguments, choosing exit codes, tables, progress, the JSON a command prints. Never: a decision.
"""
