"""One round over Applications: plan, gather facts, decide, group, write, report.

Belongs here: the order of these steps, the pool they run in, and the one catching place per unit of work, so that a
bad Application, image, registry or write never costs another. Never: an adapter, a setting, a rule of its own.
"""
