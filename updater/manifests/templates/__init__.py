"""The template language of commit messages and branch names: the subset of Go's ``text/template`` that people use.

Source: ``write-back.md`` appendix A and the documentation of Go 1.23's ``text/template`` and ``fmt``. Templates of
branches are tenant input, so everything is bounded: a template that loops or grows ends with an error.

Used by ``updater.manifests.messages`` and ``updater.manifests.branches``. Never here: which data a template sees.
"""
