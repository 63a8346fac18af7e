"""Anthropic Messages requests as Bedrock and Vertex AI take them: what Anthropic's own API reads from headers.

A version is a field of the body there, with names of the cloud's own for the first one; and some beta features are
refused outright, so that a client made for Anthropic's API would get nothing but errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_BETA_NAMES = {"advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19"}
"""One feature that both clouds know by another name."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """What a cloud takes of Anthropic's API. `refused_betas` are names without their dates, or whole where a date matters."""

    first_version: str
    refused_betas: frozenset[str]


_SERVED_BY_ANTHROPIC_ONLY = frozenset(
    (
        *("oauth", "advisor-tool", "code-execution", "fast-mode", "files-api", "mcp-client", "mcp-servers"),
        *("message-batches", "prompt-caching-scope", "redact-thinking", "skills", "web-fetch"),
    )
)
BEDROCK = Cloud("bedrock-2023-05-31", _SERVED_BY_ANTHROPIC_ONLY | {"claude-code", "token-efficient-tools-2026-03-28", "web-search"})
VERTEX = Cloud("vertex-2023-10-16", _SERVED_BY_ANTHROPIC_ONLY)


def with_version(body: Mapping[str, Any], headers: Mapping[str, str], cloud: Cloud, model: str) -> dict[str, Any]:
    """A copy of `body` that names the version which the client asked for, if `model` knows it.

    Bedrock's models before 4.7 know only the first, which allows whatever the later one does. `headers` have names in
    lower case.
    """
    asked = headers.get("anthropic-version", "")
    later = asked[:4].isdecimal() and asked > "2024" and (cloud is VERTEX or _knows_later_versions(model))
    return {"anthropic_version": asked if later else cloud.first_version, **body}


def _knows_later_versions(model: str) -> bool:
    """By its id: an ARN may hide any model, so it gets what all of them know."""
    found = re.fullmatch(r"(?:[a-z-]+\.)?anthropic\.claude-[a-z]+-(\d{1,2})(?:-(\d{1,2}))?", model)
    return found is not None and (int(found[1]), int(found[2] or 0)) >= (4, 7)


def beta_header(headers: Mapping[str, str], cloud: Cloud) -> dict[str, str]:
    """The beta features that a client asks for, without those that `cloud` refuses; {} if none are left."""
    asked = (flag.strip() for flag in headers.get("anthropic-beta", "").split(","))
    known = dict.fromkeys(_BETA_NAMES.get(flag, flag) for flag in asked if flag and cloud.refused_betas.isdisjoint((flag, _feature(flag))))
    return {"anthropic-beta": ",".join(known)} if known else {}


def _feature(flag: str) -> str:
    return re.sub(r"-20\d\d-?\d\d-?\d\d$", "", flag)
