"""What operators see of the program from outside: log records in their formats and sentences, and metrics.

Belongs here: the ``EventLog`` of the house over the standard library's logging, so that the records of libraries
flow through the same formats; redaction of known secrets in every record; the catalogue of metrics and its export; the
latest report of every Application, for the status page.
Never: deciding what is worth a record or a measurement.
Built by ``updater.cli`` and ``updater.assembly``; everything else sees ``updater.ports.log``, ``updater.ports.metrics``
and ``updater.ports.status``.
"""
