"""In which form the name of an image is written into a values file.

Values files often hold a short name because the registry is configured elsewhere; the old text says which form the
chart expects. Source: the table "Name value form" of ``write-back.md`` 3.9.
"""

from __future__ import annotations

from updater.model.references import canonical_name

_IMPLICIT_NAMESPACE = "library/"


def image_name_form(image: str, old: str | None, *, has_registry_key: bool) -> str:
    """The text to write for the image.

    image: full name without tag. old: the repository that stands in the file, None or empty when none does.
    has_registry_key: whether the mapping that holds the name has a key ``registry`` as well.
    """
    if not old or _split(old)[0]:
        is_same = bool(old) and canonical_name(old or "") == canonical_name(image)
        return old if old and is_same else image
    path = _split(image)[1]
    if _bare(path) == _bare(old):
        return old
    return path if has_registry_key else image


def _split(text: str) -> tuple[str, str]:
    """Registry and path; the registry is the first of several parts when it has a dot, a colon or is localhost."""
    first, slash, rest = text.partition("/")
    is_registry = "." in first or ":" in first or first == "localhost"
    return (first, rest) if slash and is_registry else ("", text)


def _bare(path: str) -> str:
    return path.removeprefix(_IMPLICIT_NAMESPACE)
