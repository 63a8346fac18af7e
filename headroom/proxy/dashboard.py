"""The dashboard: one page of HTML, style and script, which asks /stats and loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files


@cache
def page() -> tuple[str, str]:
    """The page, and the content security policy that lets exactly its own style and script run."""
    html = files("headroom.proxy").joinpath("dashboard.html").read_text(encoding="utf-8")
    policy = f"default-src 'none'; connect-src 'self'; img-src data:; script-src {_hash(html, 'script')}; style-src {_hash(html, 'style')}"
    return html, f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def _hash(html: str, tag: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    assert found is not None
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}'"
