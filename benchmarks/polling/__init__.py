"""The parts of ``benchmarks.registry_polls``, which the soak test of the registry client uses too."""
