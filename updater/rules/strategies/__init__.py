"""Update strategies, one file each: among the tags that passed the filters, which one wins and why the others lost.

Belongs here: pure ranking of candidates. Never: filters, the running tag, or the decision to write. Used by selection.
"""
