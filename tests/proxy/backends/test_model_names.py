"""Names of Anthropic's API, and what Bedrock and Vertex AI call the same models."""

from __future__ import annotations

import pytest

from headroom import ConfigError
from headroom.proxy.backends.model_names import bedrock_foundation_model, bedrock_model, parse_model_map, vertex_model


@pytest.mark.parametrize(
    ("model", "bedrock", "vertex"),
    [
        ("claude-3-haiku-20240307", "anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku@20240307"),
        ("claude-3-5-sonnet-20241022", "us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-v2@20241022"),
        ("claude-3-7-sonnet-latest", "us.anthropic.claude-3-7-sonnet-20250219-v1:0", "claude-3-7-sonnet@20250219"),
        ("claude-opus-4-20250514", "us.anthropic.claude-opus-4-20250514-v1:0", "claude-opus-4@20250514"),
        ("claude-opus-4-1", "us.anthropic.claude-opus-4-1-20250805-v1:0", "claude-opus-4-1@20250805"),
        ("claude-sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5@20250929"),
        ("claude-haiku-4-5", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5@20251001"),
        ("claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
        ("claude-opus-4-7-20260416", "us.anthropic.claude-opus-4-7", "claude-opus-4-7"),
        ("claude-sonnet-5", "us.anthropic.claude-sonnet-5", "claude-sonnet-5"),
    ],
)
def test_one_model_under_three_names(model: str, bedrock: str, vertex: str) -> None:
    assert bedrock_model(model, "us-east-1", {}) == bedrock
    assert vertex_model(model, {}) == vertex


@pytest.mark.parametrize(
    ("region", "profile"),
    [
        ("us-west-2", "us."),
        ("us-gov-west-1", "us-gov."),
        ("eu-central-1", "eu."),
        ("ap-northeast-1", "jp."),
        ("ap-southeast-2", "au."),
        ("ap-south-1", "global."),
        ("sa-east-1", "global."),
    ],
)
def test_a_region_has_its_profile(region: str, profile: str) -> None:
    assert bedrock_model("claude-sonnet-4-5", region, {}) == f"{profile}anthropic.claude-sonnet-4-5-20250929-v1:0"


def test_older_models_have_one_profile_for_all_of_asia() -> None:
    assert bedrock_model("claude-sonnet-4-20250514", "ap-northeast-1", {}).startswith("apac.")


@pytest.mark.parametrize("model", ["us.anthropic.claude-sonnet-4-6", "arn:aws:bedrock:us-east-1:1:prompt-router/x", "meta.llama3-70b"])
def test_names_of_bedrock_are_bedrocks(model: str) -> None:
    assert bedrock_model(model, "eu-west-1", {}) == model


def test_names_of_vertex_are_vertexs() -> None:
    assert vertex_model("claude-sonnet-4-5@20250929", {}) == "claude-sonnet-4-5@20250929"


def test_the_users_own_map_goes_first() -> None:
    own = {"claude-sonnet-4-5": "arn:aws:bedrock:us-east-1:1:application-inference-profile/x"}
    assert bedrock_model("claude-sonnet-4-5", "us-east-1", own) == own["claude-sonnet-4-5"]
    assert vertex_model("claude-sonnet-4-5", {"claude-sonnet-4-5": "claude-sonnet-4-6"}) == "claude-sonnet-4-6"


@pytest.mark.parametrize("profile", ["", "us.", "global.", "apac.", "us-gov."])
def test_the_model_behind_a_profile(profile: str) -> None:
    assert bedrock_foundation_model(f"{profile}anthropic.claude-opus-4-6-v1") == "anthropic.claude-opus-4-6-v1"


def test_a_map_as_users_write_it() -> None:
    assert parse_model_map(["a=b", " c = arn:x/y=z "]) == {"a": "b", "c": "arn:x/y=z"}
    for wrong in ("a", "a=", "=b", ""):
        with pytest.raises(ConfigError, match="model map"):
            parse_model_map([wrong])
