"""One module for each vector file, of the same name: it maps every ``fn`` to a function of the vector.

An adapter holds ``ADAPTERS``, a mapping from ``fn`` to a function that takes a ``Vector`` and returns what the project
answers in the words of ``expect``; an error is ``{"error": code}``. It may hold ``comparable``, which takes an
expectation and returns what of it is compared, for files whose ``about`` calls a field informative.
"""
