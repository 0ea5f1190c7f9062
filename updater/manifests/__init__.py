"""Text in, text out: kustomizations, Helm values, override files, and the templates of messages and branches.

Belongs here: editing YAML by splicing, the three file formats, the template language and what is rendered with it.
Never: I/O of any kind, dumping YAML, or annotations (planning reads those). Write-back imports it.
"""
