"""Pure choices: versions, constraints, filters, globs, platforms, strategies, ``shortlist``, ``choose``, ``decide``.

Belongs here: a function of its arguments that returns the same answer for any order of its input. Never: a clock, a
socket, a file, a log, a random number, or knowledge of annotations. Used by planning and everything above.
"""
