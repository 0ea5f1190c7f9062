"""Registries: which one serves an image, how to get in, what tags it lists and what those point to.

Belongs here: ``registries.conf``, endpoints, credential sources, authentication challenges and tokens, pagination,
manifests and configs as facts, the pacing of requests, what is remembered of answers, and what they mean as errors.
Never: choosing among tags, references as owners write them, or HTTP as such (``updater.transport``). Used by
``updater.assembly``, through ``updater.ports.registry`` by the engine.
"""
