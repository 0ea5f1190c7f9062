"""Frozen data that flows through the house, and its closed sets.

Belongs here: dataclasses, enums, identifiers, and the grammar of references. Never: I/O, defaults that come from
configuration, or anything foreign (protobuf messages, HTTP answers). Everybody may import it.
"""
