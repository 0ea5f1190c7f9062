"""The status page: one document with its style and script inside, allowed by their hashes and nothing else."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

_STYLE_PLACE = "/*style*/"
_SCRIPT_PLACE = "/*script*/"


@dataclass(frozen=True, slots=True)
class StatusPageText:
    """``policy`` is the Content-Security-Policy that fits ``html``; ``tag`` names this text."""

    html: str
    policy: str
    tag: str


def load_page() -> StatusPageText:
    """The page out of the package's own files."""
    folder = files("sidecar.status") / "assets"
    style = (folder / "style.css").read_text("utf-8")
    script = (folder / "page.js").read_text("utf-8")
    html = (folder / "page.html").read_text("utf-8").replace(_STYLE_PLACE, style).replace(_SCRIPT_PLACE, script)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_source(script)}'",
            f"style-src '{_source(style)}'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return StatusPageText(html, policy, hashlib.sha256(html.encode()).hexdigest()[:16])


def _source(text: str) -> str:
    """How a policy names a text that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
