"""Settings: frozen, checked when made, and a mistyped one says what was meant."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from headroom import Budget, CompressConfig, ConfigError, MemoryStore, compress
from headroom.core.config import data_folder


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("min_token", "min_tokens"), ("name_space", "namespace"), ("budjet", "budget"), ("whole_limit", "whole_limit_tokens")],
)
def test_an_unknown_option_names_the_nearest(wrong: str, meant: str) -> None:
    for make in (lambda options: CompressConfig().with_options(**options), lambda options: compress([], store=MemoryStore(), **options)):
        with pytest.raises(ConfigError, match=f"unknown option '{wrong}': did you mean '{meant}'"):
            make({wrong: 1})


def test_the_nearest_may_be_an_argument_of_compress() -> None:
    with pytest.raises(ConfigError, match="did you mean 'lossless'"):
        compress([], store=MemoryStore(), losless=True)


def test_an_option_like_no_other_lists_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"unknown option 'qqqq' \(valid: min_tokens, .*namespace"):
        CompressConfig().with_options(qqqq=1)


@pytest.mark.parametrize(
    "options",
    [
        {"min_tokens": -1},
        {"min_tokens": 1.5},
        {"min_tokens": True},
        {"user_span_tokens": "1000"},
        {"whole_limit_tokens": None},
        {"namespace": ""},
        {"namespace": 7},
        {"outline": "tree-sitter"},
        {"budget": 800},
        {"budget": Budget(-1, 0.1)},
        {"budget": Budget(800, -0.1)},
        {"budget": Budget(800, float("nan"))},
        {"budget": Budget(800, float("inf"))},
        {"budget": Budget("800", 0.1)},
        {"budgets": {"logs": 5}},
        {"budgets": {"logs": Budget(1, -1)}},
        {"budgets": None},
        {"budgets": [("logs", Budget(1, 0.1))]},
    ],
    ids=str,
)
def test_impossible_values_are_refused_when_the_config_is_made(options: Any) -> None:
    with pytest.raises(ConfigError):
        CompressConfig(**options)
    with pytest.raises(ConfigError):
        CompressConfig().with_options(**options)


@pytest.mark.parametrize("config", ["firm", {"min_tokens": 5}, 5, CompressConfig])
def test_a_config_of_another_type_is_refused(config: Any) -> None:
    with pytest.raises(ConfigError, match=r"CompressConfig\.preset"):
        compress([], store=MemoryStore(), config=config)


def test_a_config_error_is_also_a_type_error() -> None:
    with pytest.raises(TypeError):
        CompressConfig(min_tokens=-1)


def test_gentle_allows_twice_and_firm_half() -> None:
    gentle, balanced, firm = (CompressConfig.preset(name).budget for name in ("gentle", "balanced", "firm"))
    assert CompressConfig.preset("balanced") == CompressConfig()
    assert gentle.tokens == 2 * balanced.tokens == 4 * firm.tokens and gentle.share == 2 * balanced.share == 4 * firm.share


def test_presets_scale_the_budget_of_every_kind() -> None:
    base, firm = CompressConfig(), CompressConfig.preset("firm")
    assert set(base.budgets) == set(firm.budgets)
    assert all(firm.budgets[kind].tokens == base.budgets[kind].tokens // 2 for kind in base.budgets)


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown preset 'gentel': did you mean 'gentle'"):
        CompressConfig.preset("gentel")  # type: ignore[arg-type]


def test_a_kind_without_a_budget_of_its_own_has_the_common_one() -> None:
    config = CompressConfig(budget=Budget(1, 0.1), budgets={"logs": Budget(2, 0.2)})
    assert config.budget_for("logs") == Budget(2, 0.2) and config.budget_for("other") == Budget(1, 0.1)


def test_what_the_caller_does_to_its_dict_later_changes_nothing() -> None:
    budgets = {"logs": Budget(2, 0.2)}
    config = CompressConfig(budgets=budgets)
    budgets["logs"] = Budget(9, 0.9)
    assert config.budget_for("logs") == Budget(2, 0.2)
    with pytest.raises(TypeError):
        config.budgets["logs"] = Budget(9, 0.9)  # type: ignore[index]


def test_configs_are_frozen_comparable_hashable_and_travel() -> None:
    config = CompressConfig.preset("firm").with_options(namespace="tenant", budgets={"logs": Budget(2, 0.2)})
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.namespace = "other"  # type: ignore[misc]
    for other in (pickle.loads(pickle.dumps(config)), copy.deepcopy(config), copy.copy(config), config.with_options()):
        assert other == config and hash(other) == hash(config)
    assert config != CompressConfig()


def test_the_environment_names_the_preset_and_the_namespace() -> None:
    assert CompressConfig.from_env({}) == CompressConfig()
    config = CompressConfig.from_env({"HEADROOM_PRESET": "firm", "HEADROOM_NAMESPACE": "tenant"})
    assert config == CompressConfig.preset("firm").with_options(namespace="tenant")
    assert CompressConfig.from_env({"HEADROOM_PRESET": "", "HEADROOM_NAMESPACE": ""}) == CompressConfig()
    with pytest.raises(ConfigError, match="did you mean 'gentle'"):
        CompressConfig.from_env({"HEADROOM_PRESET": "gentel"})


def test_the_data_folder_is_moved_by_headroom_home() -> None:
    assert data_folder({"HEADROOM_HOME": "/srv/originals"}) == Path("/srv/originals")
    assert data_folder({"HEADROOM_HOME": "~/originals"}) == Path.home() / "originals"
    if os.name != "nt":
        assert data_folder({"XDG_DATA_HOME": "/data"}) == Path("/data/headroom")
        assert data_folder({}) == Path.home() / ".local" / "share" / "headroom"
