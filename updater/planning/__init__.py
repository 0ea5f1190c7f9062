"""From what owners and operators wrote (annotations, rules documents, defaults) to ``ImagePlan`` values, and from a
wanted image to edits of the override list of one source.

Belongs here: the meaning of annotation keys, eligibility, which source is written. Never: I/O, or the choice of a tag.
"""
