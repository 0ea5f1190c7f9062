"""What operators see of the program from outside: log records in their formats, streams and sentences.

Belongs here: the ``EventLog`` of the house over the standard library's logging, so that the records of libraries
flow through the same formats; redaction of known secrets in every record. Never: deciding what is worth a record.
Built by ``updater.cli``; everything else sees ``updater.ports.log``.
"""
