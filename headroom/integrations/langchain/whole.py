"""A reply that arrives whole: rounds are answered until the model asks for no more, and what they cost is added up."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import add_usage
from langchain_core.outputs import ChatGeneration, ChatResult

from headroom.integrations.langchain.exchange import Exchange

_COUNTED = ("token_usage", "usage")
"""Where providers put what they counted, in `llm_output`."""


class WholeReply:
    """Give every result to `take()`, as long as it `goes_on`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._outputs: list[dict[str, Any]] = []
        self.goes_on = True
        """The model is to be asked, for the first time or again."""

    def take(self, result: ChatResult) -> ChatResult:
        """The result as the application gets it, unless the model is to be asked again."""
        self.goes_on = False
        try:
            return self._taken(result)
        except Exception as error:
            self._exchange.failed(error)
            self.goes_on = False
            return result

    def _taken(self, result: ChatResult) -> ChatResult:
        message = result.generations[0].message if len(result.generations) == 1 else None
        if not isinstance(message, AIMessage):
            return result
        reply, self.goes_on = self._exchange.heard(message)
        if self.goes_on:
            self._exchange.usage = add_usage(self._exchange.usage, message.usage_metadata)
            self._outputs.append(result.llm_output or {})
            return result
        reply = self._exchange.finished(reply)
        if reply is message:
            return result
        generation = ChatGeneration(message=reply, generation_info=result.generations[0].generation_info)
        return ChatResult(generations=[generation], llm_output=self._summed(result.llm_output))

    def _summed(self, output: dict[str, Any] | None) -> dict[str, Any] | None:
        if not self._outputs or not output:
            return output
        summed = dict(output)
        for key in _COUNTED:
            for earlier in self._outputs:
                summed[key] = _sum(earlier.get(key), summed.get(key))
        return {key: value for key, value in summed.items() if key in output}


def _sum(left: Any, right: Any) -> Any:
    """Numbers added wherever both have them; else the one that is there, the newer one first."""
    if isinstance(left, dict) and isinstance(right, dict):
        return {key: _sum(left.get(key), right.get(key)) for key in {**left, **right}}
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left + right
    return left if right is None else right
