"""Everything an operator can set: one table of options, and its resolution into frozen values with their origins.

Belongs here: names, types, defaults and help texts of flags and variables; the grammars of their values; the order
flag > variable > default; checks that need nothing but the settings; the small value each part is built from.
Never: reading a file, a network, the process's environment, or text on a terminal: those are handed in as plain data.
Used by ``updater.cli``, and by ``updater.assembly`` for the values in ``parts``.
"""
