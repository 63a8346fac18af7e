"""What a model is called elsewhere: from the names of Anthropic's own API to those of Bedrock and Vertex AI.

A name of the user's own map goes first; a name that is no Claude of Anthropic's API passes as it is, since it is
somebody else's already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from headroom import ConfigError

_DATED = re.compile(r"(?P<family>claude-[a-z0-9-]+)-(?P<date>20\d{6})")

_SAME_MODEL = {
    "claude-3-haiku": "claude-3-haiku-20240307",
    "claude-3-5-haiku-latest": "claude-3-5-haiku-20241022",
    "claude-3-5-sonnet-latest": "claude-3-5-sonnet-20241022",
    "claude-3-7-sonnet-latest": "claude-3-7-sonnet-20250219",
    "claude-sonnet-4-0": "claude-sonnet-4-20250514",
    "claude-opus-4-0": "claude-opus-4-20250514",
    "claude-opus-4-1": "claude-opus-4-1-20250805",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    "claude-opus-4-5": "claude-opus-4-5-20251101",
    "claude-opus-4-6-20260205": "claude-opus-4-6",
    "claude-opus-4-7-20260416": "claude-opus-4-7",
}
"""Names of one model: up to 4.5 both clouds know it by its date, since 4.6 without one."""

_BEDROCK = {
    "claude-3-5-sonnet-20241022": "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "claude-opus-4-6": "anthropic.claude-opus-4-6-v1",
}
_VERTEX = {"claude-3-5-sonnet-20241022": "claude-3-5-sonnet-v2@20241022"}
"""Names that follow no rule."""

_LAST_WITHOUT_PROFILES = "20240620"
"""Bedrock serves later models only through inference profiles, which say in which part of the world a request may run."""
_FIRST_OF_COUNTRIES = "20250929"
"""From Sonnet 4.5 on Asia has a profile for Japan and one for Australia; before, it had one for all."""
_PROFILE = re.compile(r"(?:us-gov|us|eu|apac|jp|au|ca|global)\.(?=anthropic\.)")


def parse_model_map(pairs: Iterable[str]) -> dict[str, str]:
    """`["claude-sonnet-4-5=my-deployment", ...]` as a dict. ConfigError for anything else."""
    found = {}
    for pair in pairs:
        asked, separator, meant = (part.strip() for part in pair.partition("="))
        if not (asked and separator and meant):
            raise ConfigError(f"a model map is written NAME-THAT-CLIENTS-SEND=NAME-OF-THE-BACKEND, not {pair!r}")
        found[asked] = meant
    return found


def bedrock_model(model: str, region: str, model_map: Mapping[str, str]) -> str:
    """The id of a model, or of the inference profile that `region` needs for it."""
    if model in model_map:
        return model_map[model]
    if not model.startswith("claude-"):
        return model
    name = _SAME_MODEL.get(model, model)
    dated = _DATED.fullmatch(name)
    identifier = _BEDROCK.get(name) or f"anthropic.{name}" + ("-v1:0" if dated else "")
    return _profile(region, dated["date"] if dated else "") + identifier


def bedrock_foundation_model(identifier: str) -> str:
    """The model behind an inference profile: tokens are counted by models, not by profiles."""
    return _PROFILE.sub("", identifier, count=1)


def vertex_model(model: str, model_map: Mapping[str, str]) -> str:
    """The id of a model: its date follows an @."""
    if model in model_map:
        return model_map[model]
    name = _SAME_MODEL.get(model, model)
    dated = _DATED.fullmatch(name)
    return _VERTEX.get(name) or (f"{dated['family']}@{dated['date']}" if dated else name)


def _profile(region: str, date: str) -> str:
    if date and date <= _LAST_WITHOUT_PROFILES:
        return ""
    if region.startswith("us-gov-"):
        return "us-gov."
    if region.startswith(("us-", "ca-")):
        return "us."
    if region.startswith("eu-"):
        return "eu."
    if region.startswith("ap-"):
        return _asian_profile(region, date)
    return "global."


def _asian_profile(region: str, date: str) -> str:
    if date and date < _FIRST_OF_COUNTRIES:
        return "apac."
    if region in ("ap-northeast-1", "ap-northeast-3"):
        return "jp."
    return "au." if region in ("ap-southeast-2", "ap-southeast-4") else "global."
