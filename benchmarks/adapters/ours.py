"""This product. Options: preset, budget [tokens, share], scale (of every budget), lossless."""

from __future__ import annotations

from dataclasses import replace

from serve import Adapter, Message, options, serve

from headroom import Budget, CompressConfig, CompressResult, compress, retrieve


def configured(preset: str = "balanced", budget: tuple[int, float] | None = None, scale: float = 1.0) -> CompressConfig:
    """The preset's configuration; `budget` takes the place of its general budget, `scale` multiplies every budget."""
    config = CompressConfig.preset(preset)  # type: ignore[arg-type]  # it checks the name itself
    general = Budget(*budget) if budget else config.budget
    return replace(config, budget=scaled(general, scale), budgets={kind: scaled(own, scale) for kind, own in config.budgets.items()})


def scaled(budget: Budget, scale: float) -> Budget:
    """So many times the room, by the text and for its length."""
    return budget if scale == 1 else Budget(int(budget.tokens * scale), min(1.0, budget.share * scale))


class Ours(Adapter):
    """The front door and nothing else."""

    def __init__(self, lossless: bool = False, **settings: object) -> None:
        self._config = configured(**settings)  # type: ignore[arg-type]
        self._lossless = lossless
        self._result: CompressResult | None = None

    def compress(self, messages: list[Message]) -> list[Message]:
        self._result = compress(messages, model="gpt-4o", config=self._config, lossless=self._lossless)
        return self._result.messages

    def references(self) -> list[str]:
        return self._result.references if self._result else []

    def kinds(self) -> dict[int, str]:
        reports = self._result.blocks if self._result else []
        return {int(report.path[0]): report.kind or f"({report.reason})" for report in reports}

    def retrieve(self, reference: str) -> str:
        return retrieve(reference)


if __name__ == "__main__":
    serve(Ours(**options()))
