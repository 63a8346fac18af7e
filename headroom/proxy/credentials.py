"""Who a caller is: the namespace that keeps its texts from others, and the token for the proxy's own endpoints."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from headroom.proxy.settings import is_local

TOKEN_HEADER = "x-headroom-token"  # noqa: S105  (a name, no secret)
_KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")


def namespace_for(prefix: str, headers: Mapping[str, str]) -> str:
    """One namespace for each credential, the same in every process: a prefix and a hash, from which no key can be read."""
    return f"{prefix}-{_digest(credential_in(headers))}"


def credential_in(headers: Mapping[str, str]) -> str:
    """The caller's own key, however its client sends it; "" if it has none."""
    for name in _KEY_HEADERS:
        value = headers.get(name, "").strip()
        if value:
            scheme, _, rest = value.partition(" ")
            return rest.strip() if scheme.lower() == "bearer" and rest else value
    return ""


def _digest(credential: str) -> str:
    return hashlib.sha256(b"headroom caller\0" + credential.encode("utf-8", "surrogateescape")).hexdigest()[:20]


def holds_token(headers: Mapping[str, str], token: str) -> bool:
    """Whether a request shows `token`: as x-headroom-token, as its key, or as the password that a browser asked for."""
    return any(_same(shown, token) for shown in (headers.get(TOKEN_HEADER, ""), credential_in(headers), _password(headers)))


def _password(headers: Mapping[str, str]) -> str:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8", "replace").partition(":")[2]
    except binascii.Error:
        return ""


def _same(shown: str, token: str) -> bool:
    return hmac.compare_digest(shown.encode("utf-8", "replace"), token.encode("utf-8", "replace"))


def comes_from_here(headers: Mapping[str, str]) -> bool:
    """Whether host and origin are this machine's: a page from elsewhere, open in a browser here, shows another name."""
    named = [headers.get("host", "localhost"), urlsplit(headers.get("origin", "")).netloc or "localhost"]
    return all(is_local(_without_port(name)) for name in named) and headers.get("origin") != "null"


def _without_port(host: str) -> str:
    return host.partition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
