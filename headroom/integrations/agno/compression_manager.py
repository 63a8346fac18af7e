"""HeadroomCompressionManager: compression through Agno's own seam, without asking a model."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from agno.compression.manager import CompressionManager
from agno.models.message import Message

from headroom import CompressConfig, CompressionHooks, CompressionStore, Savings
from headroom.integrations.agno.retrieval import is_offered
from headroom.integrations.agno.service import AgnoService

_EVERYTHING = 1 << 60
_MOST_KNOWN = 10_000


class HeadroomCompressionManager(CompressionManager):
    """`Agent(compression_manager=HeadroomCompressionManager(), tools=[HeadroomTools()])`; for a Team just so.

    Sets `compressed_content` of tool results, which Agno sends and stores beside the untouched `content`. Each result
    is dealt with once, right after its tool has run. Without `HeadroomTools` (or a `HeadroomAgnoModel`) among what the
    model can call, it folds only: nothing is left out. Takes what `compress()` takes.
    """

    def __init__(
        self,
        *,
        config: CompressConfig | None = None,
        store: CompressionStore | None = None,
        hooks: CompressionHooks | None = None,
        lossless: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        # users' texts have no compressed_content: the seam is for tools
        self._service = AgnoService(
            config=config, store=store, hooks=hooks, lossless=lossless, **{"user_span_tokens": _EVERYTHING, **options}
        )
        self._known: OrderedDict[str, None] = OrderedDict()
        self._offered: OrderedDict[int, bool] = OrderedDict()

    @property
    def headroom(self) -> AgnoService:
        """The service behind this manager."""
        return self._service

    @property
    def savings(self) -> Savings:
        """What was saved when results were compressed; that later requests are shorter too is not counted again."""
        return self._service.savings

    def should_compress(self, messages: list[Message], tools: list[Any] | None = None, *args: Any, **kwargs: Any) -> bool:
        """Whether there is a tool result that was not looked at yet."""
        if not self.compress_tool_results or not any(map(self._is_new, messages)):
            return False
        _remember(self._offered, id(messages), is_offered(tools), most=256)  # compress() is not told of the tools
        return True

    async def ashould_compress(self, messages: list[Message], tools: list[Any] | None = None, *args: Any, **kwargs: Any) -> bool:
        """The same: nothing here waits."""
        return self.should_compress(messages, tools)

    def compress(self, messages: list[Message], run_metrics: Any = None) -> None:
        """Set `compressed_content` where it saves tokens."""
        if self.compress_tool_results:
            self._take_over(messages, self._service.shorten(**self._request(messages, run_metrics)))

    async def acompress(self, messages: list[Message], run_metrics: Any = None) -> None:
        """The same, with large results compressed off the event loop."""
        if self.compress_tool_results:
            self._take_over(messages, await self._service.ashorten(**self._request(messages, run_metrics)))

    def _request(self, messages: list[Message], run_metrics: Any) -> dict[str, Any]:
        offered = self._offered.pop(id(messages), False)
        run = None if run_metrics is None else id(run_metrics)
        model = str(getattr(self.model, "id", "") or "")  # Agno sets the agent's own
        lossless = self._service.lossless or not offered
        return {"messages": list(messages), "model": model, "lossless": lossless, "run": run, "compressed": True}

    def _take_over(self, messages: list[Message], shorter: list[Message]) -> None:
        for message, short in zip(messages, shorter, strict=False):  # the loop may have gone on while we were in a thread
            if not self._is_new(message):
                continue
            _remember(self._known, message.id, None, most=_MOST_KNOWN)
            if short is not message and isinstance(short.content, str):
                message.compressed_content = short.content
                self._count(str(message.content), short.content)

    def _is_new(self, message: Message) -> bool:
        return message.role == "tool" and message.compressed_content is None and message.id not in self._known

    def _count(self, before: str, after: str) -> None:
        """Agno's own statistics, which its events carry: characters."""
        for name, amount in (("tool_results_compressed", 1), ("original_size", len(before)), ("compressed_size", len(after))):
            self.stats[name] = self.stats.get(name, 0) + amount


def _remember(known: OrderedDict[Any, Any], key: object, value: object, most: int) -> None:
    known[key] = value
    while len(known) > most:
        known.popitem(last=False)
