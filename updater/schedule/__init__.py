"""When an Application is processed: the scheduling pass, its state, the jobs, the known fleet, the two ways of running.

Belongs here: order and limits of attempts, the memory of them, and the wrapper around APScheduler, which only ``jobs``
imports. Never: what happens to an Application (``updater.engine`` does that, behind a callable), a setting's name, an
adapter. Built by ``updater.assembly``.
"""
