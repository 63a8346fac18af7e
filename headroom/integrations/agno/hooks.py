"""Hooks that watch what each run saves, and raise an alert where one still sends a lot."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headroom import ConfigError
from headroom.integrations.agno.compressing_model import CompressingModel
from headroom.integrations.agno.compression_manager import HeadroomCompressionManager
from headroom.integrations.agno.service import AgnoService

logger = logging.getLogger("headroom.agno")


@dataclass(frozen=True)
class RunReport:
    """What one run of an agent or team sent. Tokens are sums over its requests, each with the whole conversation so far."""

    run_id: str
    name: str
    """Of the agent or team."""
    requests: int
    """Requests that were compressed, or found to hold nothing to save."""
    tokens_before: int
    tokens_saved: int
    input_tokens: int
    """As the provider counted them, for the whole run; 0 if it told nothing."""

    @property
    def tokens_after(self) -> int:
        """Tokens of the texts that left."""
        return self.tokens_before - self.tokens_saved

    @property
    def tokens_sent(self) -> int:
        """What the alert looks at: the provider's count, or ours if it told none."""
        return self.input_tokens or self.tokens_after


class HeadroomPreHook:
    """For `pre_hooks`: has the run watched that begins. Changes nothing."""

    __name__ = "HeadroomPreHook"  # older versions of Agno ask every hook for one

    def __call__(self, run_input: Any = None, agent: Any = None, team: Any = None, **_: Any) -> None:
        for service in _services(agent if agent is not None else team):
            service.runs.watched = True


class HeadroomPostHook:
    """For `post_hooks`: writes a `RunReport` of each run that ends, to `.reports` and to the log "headroom.agno".

    `token_alert_threshold`: a run that sent more input tokens than this is logged as a warning, added to `.alerts` and
    given to `on_alert`. `log_level`: a name or number of `logging`. ConfigError for one that does not exist.
    Reports and alerts are the newest 100. Needs a `HeadroomPreHook` beside it.
    """

    __name__ = "HeadroomPostHook"  # as above

    def __init__(
        self,
        *,
        token_alert_threshold: int | None = None,
        log_level: str | int = "INFO",
        on_alert: Callable[[RunReport], None] | None = None,
    ) -> None:
        self.token_alert_threshold = token_alert_threshold
        self.log_level = _level(log_level)
        self.on_alert = on_alert
        self.reports: deque[RunReport] = deque(maxlen=100)
        self.alerts: deque[RunReport] = deque(maxlen=100)

    def __call__(self, run_output: Any = None, agent: Any = None, team: Any = None, **_: Any) -> None:
        owner = agent if agent is not None else team
        report = _report(run_output, owner)
        self.reports.append(report)
        logger.log(
            self.log_level, "run %s of %s: %s tokens saved of %s in %s requests",
            report.run_id, report.name, report.tokens_saved, report.tokens_before, report.requests,
        )  # fmt: skip
        if self.token_alert_threshold is not None and report.tokens_sent > self.token_alert_threshold:
            self._alert(report)

    def summary(self) -> dict[str, int]:
        """Sums over the reports that are still there."""
        return {
            "runs": len(self.reports),
            "alerts": len(self.alerts),
            "tokens_before": sum(report.tokens_before for report in self.reports),
            "tokens_saved": sum(report.tokens_saved for report in self.reports),
        }

    def _alert(self, report: RunReport) -> None:
        self.alerts.append(report)
        sent, limit = report.tokens_sent, self.token_alert_threshold
        logger.warning("run %s of %s sent %s tokens, more than %s", report.run_id, report.name, sent, limit)
        if self.on_alert is not None:
            self.on_alert(report)


def create_headroom_hooks(
    *,
    token_alert_threshold: int | None = None,
    log_level: str | int = "INFO",
    on_alert: Callable[[RunReport], None] | None = None,
) -> tuple[HeadroomPreHook, HeadroomPostHook]:
    """Both hooks: `before, after = create_headroom_hooks(...)`, then `Agent(..., pre_hooks=[before], post_hooks=[after])`."""
    return HeadroomPreHook(), HeadroomPostHook(token_alert_threshold=token_alert_threshold, log_level=log_level, on_alert=on_alert)


def _report(run_output: Any, owner: Any) -> RunReport:
    run_id, metrics = getattr(run_output, "run_id", None), getattr(run_output, "metrics", None)
    results = []
    for service in _services(owner):
        results += service.runs.take(run_id) + service.runs.take(id(metrics))
    return RunReport(
        run_id=str(run_id or ""),
        name=str(getattr(owner, "name", None) or getattr(owner, "id", None) or ""),
        requests=len(results),
        tokens_before=sum(result.tokens_before for result in results),
        tokens_saved=sum(result.tokens_saved for result in results),
        input_tokens=int(getattr(metrics, "input_tokens", 0) or 0),
    )


def _services(owner: Any) -> list[AgnoService]:
    """The services that see this agent's or team's requests."""
    model, manager = getattr(owner, "model", None), getattr(owner, "compression_manager", None)
    return [part.headroom for part in (model, manager) if isinstance(part, (CompressingModel, HeadroomCompressionManager))]


def _level(name: str | int) -> int:
    level = logging.getLevelName(name.upper()) if isinstance(name, str) else name
    if not isinstance(level, int):
        raise ConfigError(f"log_level must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not {name!r}")
    return level
