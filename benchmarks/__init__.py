"""Measurements that anybody can repeat: ``python -m benchmarks`` runs all, ``python -m benchmarks.<name>`` one.

Belongs here: what prints a figure of ``docs/performance.md``. Never: assertions about speed, which depend on the
machine, and anything that the updater imports. Peers (API server, registry) run in a process of their own, so that
only the updater's processor time and memory are counted.
"""
