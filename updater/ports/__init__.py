"""What the engine and write-back need from the outside world, as Protocols of one to four methods.

Named by the need of the caller. Adapters implement them without inheriting; a one-line typed assignment in the tests
proves the fit. No implementation lives here, and no foreign type appears in a signature.
"""
