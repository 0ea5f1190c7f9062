"""Registries: which one serves an image, how to get in, and what tags it lists.

Belongs here: ``registries.conf``, endpoints, credential sources, authentication challenges and tokens, pagination,
and what a registry's answers mean as errors. Manifests and blobs will live here too, beside ``listing``. Never:
choosing among tags, references as owners write them, or HTTP as such (``updater.transport``). Used by
``updater.assembly``, through ``updater.ports.registry`` by the engine.
"""
