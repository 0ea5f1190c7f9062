"""``completion``: scripts for shells, written from the table of commands and flags (``runtime.md`` 1.9).

Belongs here: one module per shell, and what they have in common. Never: a list of flags of its own, so that no script
can know another program than the one that wrote it.
"""
