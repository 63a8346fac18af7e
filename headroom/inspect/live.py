"""The page of a request that a running proxy has seen, asked from the proxy itself."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlencode, urlsplit

from headroom import ConfigError, HeadroomError
from headroom.core.config import proxy_environment

TIME_OUT_SECONDS = 30.0


def live_page(url: str, request: int | None = None, token: str | None = None) -> str:
    """The page of request number `request`, the newest by default. The proxy must keep texts (`--show-texts`).

    ConfigError for an address that cannot be, HeadroomError with the proxy's words if it does not give the page.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"the proxy's address must be like http://127.0.0.1:8787, not {url!r}")
    secret = proxy_environment().get("token", "") if token is None else token
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    query = f"?{urlencode({'request': request})}" if request is not None else ""
    try:
        connection = kind(parts.netloc.rpartition("@")[2], timeout=TIME_OUT_SECONDS)
        try:
            connection.request("GET", f"{parts.path.rstrip('/')}/inspect{query}", headers={"x-headroom-token": secret} if secret else {})
            answer = connection.getresponse()
            body = answer.read().decode("utf-8", "replace")
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise HeadroomError(f"no proxy answers at {url}: {error}") from error
    if answer.status != 200:
        raise HeadroomError(f"the proxy at {url} answered {answer.status}: {_words(body)}")
    return body


def _words(body: str) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200]
