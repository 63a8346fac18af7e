"""One request of the application: what is sent for it, round by round, until the model asks for no more originals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage

from headroom import CompressResult
from headroom.integrations.langchain import hidden
from headroom.integrations.langchain.messages import as_dicts, with_texts
from headroom.integrations.langchain.offering import Offer, Settings, offer

_CHARACTERS_PER_TOKEN = 4
_STRUCTURED = ("response_format", "output_config", "output_format", "response_schema", "response_mime_type", "format")
"""Arguments that make the reply a document: words before it would spoil it."""


class Exchange:
    """Holds the messages and arguments of the next request, and what was hidden from the application so far."""

    def __init__(self, settings: Settings, messages: list[BaseMessage], offered: Offer, result: CompressResult | None = None) -> None:
        self.messages = messages
        self.arguments = offered.arguments
        self.answers_calls = offered.answered
        self._settings = settings
        self._offered = offered
        self._rounds: list[hidden.Json] = []
        self._earlier: list[AIMessage] = []
        self._beside: hidden.Json = {}
        self.usage: UsageMetadata | None = None
        """Of rounds that the application does not see, not yet added to what it sees."""
        changed = [block for block in result.blocks if block.changed] if result else []
        self._shortened = len(changed)
        self._saved = sum(len(block.before) - len(block.after) for block in changed) // _CHARACTERS_PER_TOKEN

    @property
    def is_plain(self) -> bool:
        """Nothing was shortened and nothing will be answered: the reply needs no attention."""
        return not self.answers_calls and not self._shortened

    @property
    def rounds(self) -> int:
        """How many rounds were answered so far."""
        return len(self._rounds)

    @property
    def is_structured(self) -> bool:
        """Whether the reply is a document that is parsed."""
        return any(self.arguments.get(name) for name in _STRUCTURED)

    def heard(self, reply: AIMessage) -> tuple[AIMessage, bool]:
        """What the application sees of a reply; True if the model is to be asked again first, with the answers."""
        calls, others = hidden.calls_of(reply)
        if not self.answers_calls or not calls:
            return reply, False
        last = self.rounds >= self._settings.max_retrieve_rounds
        if others or last:
            visible, places = hidden.without_calls(reply)
            if others:  # after the last round an unasked call has no answer, so it is forgotten
                self._beside = {"calls": places, "answers": self._answers(calls)}
            return visible, False
        round_ = hidden.round_of(reply, self._answers(calls))
        self._rounds.append(round_)
        self._earlier.append(reply)
        self.messages = [*self.messages, *hidden.messages_of(round_)]
        if self.rounds == self._settings.max_retrieve_rounds:
            self.arguments = self._offered.without
        return reply, True

    def finished(self, reply: AIMessage) -> AIMessage:
        """The reply as the application gets it: words of all rounds, usage of all rounds, the rest of the last one."""
        content, earlier = self._joined(reply.content)
        update: dict[str, Any] = {"content": content}
        if self.usage is not None:
            update["usage_metadata"] = add_usage(self.usage, reply.usage_metadata)
        notes = self.notes(earlier)
        if notes:
            update["response_metadata"] = {**reply.response_metadata, hidden.KEY: notes}
        return reply.model_copy(update=update) if notes or self._rounds else reply

    def failed(self, error: Exception) -> None:
        """Count and report trouble of ours with a reply, which goes to the application as it came."""
        self._settings.service.failed(error)

    def notes(self, earlier: Mapping[str, Any], own: Mapping[str, Any] | None = None) -> hidden.Json:
        """What stands in the reply's `response_metadata["headroom"]`; {} if there is nothing to say."""
        notes: hidden.Json = {}
        if self._shortened:
            notes |= {"texts_shortened": self._shortened, "estimated_tokens_saved": self._saved}
        if self._rounds:
            notes |= {"retrieve_rounds": self.rounds, "rounds": self._rounds}
        if self._beside:
            notes["beside"] = self._beside
        if self._rounds or self._beside:
            notes |= {name: dict(value) for name, value in (("earlier", earlier), ("own", own)) if value}
        return notes

    def _answers(self, calls: Sequence[hidden.Json]) -> list[hidden.Json]:
        answer = self._settings.service.answer
        return [{"id": call.get("id") or "", "name": call["name"], "text": answer(call["name"], call.get("args"))} for call in calls]

    def _joined(self, content: Any) -> tuple[Any, hidden.Json]:
        """The content with the words of earlier rounds before it, and what to take off when the reply comes back."""
        said = [] if self.is_structured else [words for reply in self._earlier if (words := _words(reply.content))]
        if not said:
            return content, {}
        before = "\n\n".join(said) + ("\n\n" if content else "")
        if isinstance(content, str):
            return before + content, {"text": before}
        return [{"type": "text", "text": before}, *content], {"text": before, "blocks": 1}


def begun(model: BaseChatModel, settings: Settings, messages: list[BaseMessage], arguments: dict[str, Any]) -> Exchange:
    """The exchange for a request. Trouble of ours makes it one that passes the request through, counted and warned of."""
    offered = _offered(model, settings, arguments)
    try:
        known = hidden.put_back(messages) if offered.listed else messages
        result = settings.service.compress(as_dicts(known), _name_of(model, arguments), lossless=not offered.callable)
        return _exchange(settings, known, offered, result)
    except Exception as error:
        settings.service.failed(error, _name_of(model, arguments))
        return Exchange(settings, messages, offered)


async def abegun(model: BaseChatModel, settings: Settings, messages: list[BaseMessage], arguments: dict[str, Any]) -> Exchange:
    """The same, with a large request compressed in another thread."""
    offered = _offered(model, settings, arguments)
    try:
        known = hidden.put_back(messages) if offered.listed else messages
        result = await settings.service.acompress(as_dicts(known), _name_of(model, arguments), lossless=not offered.callable)
        return _exchange(settings, known, offered, result)
    except Exception as error:
        settings.service.failed(error, _name_of(model, arguments))
        return Exchange(settings, messages, offered)


def _offered(model: BaseChatModel, settings: Settings, arguments: dict[str, Any]) -> Offer:
    try:
        return offer(model, settings, arguments)
    except Exception as error:
        settings.service.failed(error, _name_of(model, arguments))
        return Offer(arguments, arguments)


def _exchange(settings: Settings, messages: list[BaseMessage], offered: Offer, result: CompressResult | None) -> Exchange:
    sent = messages if result is None else with_texts(messages, result)
    return Exchange(settings, sent, offered, result)


def _name_of(model: BaseChatModel, arguments: Mapping[str, Any]) -> str:
    """The model's name, which decides how tokens are counted."""
    for name in (arguments.get("model"), getattr(model, "model_name", None), getattr(model, "model", None)):
        if isinstance(name, str):
            return name
    return ""


def _words(content: Any) -> str:
    return content if isinstance(content, str) else "".join(map(hidden.text_of, content))
