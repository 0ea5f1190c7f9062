"""Commands, flags, and output for people: the only place that imports click and rich, where a command needs them.

Belongs here: finding the command, choosing exit statuses, signals, tables, progress, the JSON a command prints.
Never: a decision, a rule about values (``updater.settings``), the form of a log record (``updater.telemetry``).
Nothing heavy is imported before a command is known to need it: ``version`` answers in a moment.
"""
