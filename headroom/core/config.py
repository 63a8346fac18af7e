"""Every setting in one table, with its default and its reason; and the one place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from headroom.core.errors import ConfigError
from headroom.core.store.base import DEFAULT_NAMESPACE
from headroom.core.types import ContentKind

PresetName = Literal["gentle", "balanced", "firm"]


@dataclass(frozen=True, slots=True)
class Budget:
    """What a digest may keep of a text: `tokens`, plus `share` of the folded text's own tokens, but never above `most`."""

    tokens: int
    share: float
    most: int = 6_000

    def scaled(self, factor: float, at_least: int = 0) -> Budget:
        """All three times `factor`; whatever that gives, `at_least` tokens are allowed."""
        tokens, most = max(at_least, int(self.tokens * factor)), max(at_least, int(self.most * factor))
        return Budget(tokens, self.share * factor, most)


_BUDGETS: Mapping[ContentKind, Budget] = MappingProxyType(
    {
        "source_code": Budget(1_350, 0.05),  # an edit quotes the lines that it replaces, exactly
        "reprs": Budget(450, 0.03),
        "listings": Budget(500, 0.05),
        "diffs": Budget(650, 0.07),  # every file is named, however many there are
        "search_hits": Budget(650, 0.07),
    }
)
"""Measured on recorded sessions: where the next cut begins to cost what the agent quotes next."""


@dataclass(frozen=True, slots=True)
class CompressConfig:
    """How `compress()` behaves. Frozen: derive with `config.with_options(...)`.

    Tokens here are `tokens.estimate` tokens (3.6 characters): budgets must not depend on the model, or switching
    models would rewrite the prompt.
    """

    min_tokens: int = 165
    """Tool outputs below this are left alone: about 600 characters, where a marker costs what a digest saves."""

    budget: Budget = Budget(700, 0.05)
    """For every kind that `budgets` does not name."""

    budgets: Mapping[ContentKind, Budget] = field(default_factory=lambda: _BUDGETS)
    """Per kind: what is read on purpose deserves more room than what is scanned."""

    user_span_tokens: int = 1_000
    """Machine-made spans in user messages are touched only above this size."""

    whole_limit_tokens: int = 16_000
    """A call repeated because its output was digested is answered whole, up to this size."""

    namespace: str = DEFAULT_NAMESPACE
    """Separates tenants: a reference of another namespace does not resolve."""

    outline: Literal["lines", "parser"] = "lines"
    """What finds the definitions in source code: indentation and opening words, which give the same bytes on every
    machine; or Python's own parser and tree-sitter's, which need the `[code]` extra and the same versions everywhere."""

    def __post_init__(self) -> None:
        for name in ("min_tokens", "user_span_tokens", "whole_limit_tokens"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ConfigError(f"{name} must be a whole number of tokens, 0 or more, not {value!r}")
        if not isinstance(self.namespace, str) or not self.namespace:
            raise ConfigError(f"namespace must be a non-empty str, not {self.namespace!r}")
        if self.outline not in ("lines", "parser"):
            raise ConfigError(f"outline must be 'lines' or 'parser', not {self.outline!r}")
        if self.outline == "parser":
            from headroom.core.compressors.code import parsers  # loads Python's ast, which only this option needs

            parsers.require()
        if not isinstance(self.budgets, Mapping):
            raise ConfigError(f"budgets must be a mapping of kind -> Budget, not {self.budgets!r}")
        for kind, budget in {"budget": self.budget, **self.budgets}.items():
            if not isinstance(budget, Budget) or not all(map(_is_amount, (budget.tokens, budget.share, budget.most))):
                raise ConfigError(f"the budget of {kind} must be a Budget(tokens >= 0, share >= 0, most >= 0), not {budget!r}")
        object.__setattr__(self, "budgets", MappingProxyType(dict(self.budgets)))  # a copy: results are remembered by settings

    def budget_for(self, kind: ContentKind) -> Budget:
        """The budget of one kind."""
        return self.budgets.get(kind, self.budget)

    def __hash__(self) -> int:
        return hash((self.min_tokens, self.budget, frozenset(self.budgets.items()), self.user_span_tokens, self.namespace))

    def __reduce__(self) -> tuple[Any, ...]:
        """Read-only mappings cannot be copied or sent to another process; what they were made of can."""
        return _restored, ({f.name: getattr(self, f.name) for f in fields(self)} | {"budgets": dict(self.budgets)},)

    def with_options(self, **options: Any) -> CompressConfig:
        """A copy with some fields changed. ConfigError for an unknown name, naming the nearest valid one."""
        if not options:
            return self
        self.check_names(options)
        return replace(self, **options)

    @classmethod
    def check_names(cls, options: Iterable[str], also: Iterable[str] = ()) -> None:
        """ConfigError for a name that is neither a field nor one of `also`, naming the nearest valid one."""
        own = [f.name for f in fields(cls)]
        for name in options:
            if name not in own:
                raise ConfigError(_unknown("option", name, [*own, *also]))

    @classmethod
    def preset(cls, name: PresetName) -> CompressConfig:
        """`gentle` shows about twice as much as `balanced` (the default), `firm` about half."""
        scale = {"gentle": 2.0, "balanced": 1.0, "firm": 0.5}
        if name not in scale:
            raise ConfigError(_unknown("preset", str(name), list(scale)))
        base = cls()
        if name == "balanced":
            return base

        def scaled(budget: Budget) -> Budget:
            return budget.scaled(scale[name])

        return replace(base, budget=scaled(base.budget), budgets=MappingProxyType({kind: scaled(b) for kind, b in base.budgets.items()}))

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None) -> CompressConfig:
        """The preset named by HEADROOM_PRESET, in the namespace named by HEADROOM_NAMESPACE."""
        env = os.environ if environment is None else environment
        return _configured(env.get("HEADROOM_PRESET") or "balanced", env.get("HEADROOM_NAMESPACE") or DEFAULT_NAMESPACE)


@lru_cache(maxsize=64)
def _configured(preset: str, namespace: str) -> CompressConfig:
    return CompressConfig.preset(preset).with_options(namespace=namespace)  # type: ignore[arg-type]  # preset() checks it


def store_url(environment: Mapping[str, str] | None = None) -> str:
    """Where originals are kept: HEADROOM_STORE ("redis://..."), or "sqlite://" and the file in the data folder."""
    env = os.environ if environment is None else environment
    return env.get("HEADROOM_STORE") or f"sqlite://{data_folder(env) / 'originals.sqlite3'}"


def data_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where originals are kept: HEADROOM_HOME, or `headroom` in the user's data folder of this platform."""
    env = os.environ if environment is None else environment
    if env.get("HEADROOM_HOME"):
        return Path(env["HEADROOM_HOME"]).expanduser()
    if os.name == "nt":
        return Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "headroom"
    if env.get("XDG_DATA_HOME"):
        return Path(env["XDG_DATA_HOME"]) / "headroom"
    return Path.home() / ".local" / "share" / "headroom"


def proxy_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """What HEADROOM_OPENAI_URL, HEADROOM_ANTHROPIC_URL and HEADROOM_TOKEN say, by the names of the proxy's settings."""
    env = os.environ if environment is None else environment
    names = {"openai_url": "HEADROOM_OPENAI_URL", "anthropic_url": "HEADROOM_ANTHROPIC_URL", "token": "HEADROOM_TOKEN"}
    return {setting: env[name] for setting, name in names.items() if env.get(name)}


def openrouter_api_key(environment: Mapping[str, str] | None = None) -> str:
    """What OPENROUTER_API_KEY says: no client of OpenRouter's own reads it here."""
    env = os.environ if environment is None else environment
    return env.get("OPENROUTER_API_KEY", "")


def _restored(options: dict[str, Any]) -> CompressConfig:
    return CompressConfig(**options)


def _is_amount(value: object) -> bool:
    """Whether this is a finite number, 0 or more."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def _unknown(what: str, name: str, valid: list[str]) -> str:
    import difflib  # 8 ms, and only a mistake needs it

    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.3)
    hint = f": did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {name!r}{hint} (valid: {', '.join(valid)})"
