"""The callback: every LiteLLM call compressed on its way out, and `headroom_retrieve` answered where LiteLLM allows it.

| what is called | the hook that compresses | what it may do |
|---|---|---|
| `acompletion`, Router, `anthropic.messages`, `aresponses`, `responses`, the proxy | `async_pre_call_deployment_hook` | all |
| `completion`, and whatever that hook was not asked about | `log_pre_api_call`, on the body itself | fold |
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headroom import CompressConfig, CompressionHooks, CompressionStore, HeadroomError, MissingDependencyError, Savings
from headroom.integrations.litellm_callback import calls, sent_body
from headroom.integrations.litellm_callback.calls import Newest, SeenCall, Whose
from headroom.service import CompressionService
from headroom.wire.bodies import messages_of, with_messages

try:
    from litellm.integrations.custom_logger import CustomLogger
except ImportError as missing:
    raise MissingDependencyError("litellm", extra="litellm") from missing

from headroom.integrations.litellm_callback import retrieval  # needs LiteLLM, whose absence is reported above

ROUNDS = 3
"""How often one request may ask for originals before it is answered without: LiteLLM's own default (`max_agentic_loops`)."""

MOST_CALLS = 10_000
"""Calls remembered: not every call comes to an end that a hook sees."""

MOST_TENANTS = 1_000
WORTH_A_WARNING = 2_000
"""Characters of one text: below, a request that cannot be reached would have saved next to nothing."""


class NotReachedError(HeadroomError):
    """A request that a callback cannot change: counted and warned of, never raised."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is done to one call: the messages to read, the tools to send, and who answers `headroom_retrieve`."""

    dialect: str
    originals: list[Any]
    plain: list[Any]
    tools: list[Any] | None
    whose: Whose
    service: CompressionService


class HeadroomCallback(CustomLogger):
    """`litellm.callbacks = [HeadroomCallback()]` compresses what LiteLLM sends. It never fails a call.

    Takes what `compress()` takes: `config` and fields of it, `store`, `hooks`, `lossless`. `retrieve=False` leaves the
    tool list alone: texts are then only folded, unless the caller brings `headroom_retrieve`. ConfigError, at once, for
    a mistyped option. `savings` counts requests, tokens and failures.
    """

    def __init__(
        self,
        *,
        retrieve: bool = True,
        config: CompressConfig | None = None,
        store: CompressionStore | None = None,
        hooks: CompressionHooks | None = None,
        lossless: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        self.service = CompressionService(config=config, store=store, hooks=hooks, lossless=lossless, **options)
        self.retrieve = retrieve and not lossless
        self.seen = Newest[SeenCall](MOST_CALLS)
        self._tenants = Newest[CompressionService](MOST_TENANTS)
        self._answered = retrieval.answered_dialects()

    @property
    def savings(self) -> Savings:
        """What all requests through this callback have saved so far."""
        return self.service.savings

    def install(self) -> HeadroomCallback:
        """Also digest in synchronous `litellm.completion`, and reach providers whose requests are signed (Bedrock).

        Replaces `litellm.completion` by a function that compresses, answers `headroom_retrieve` and calls the original;
        adds this callback to `litellm.callbacks`. `uninstall()` puts both back.
        """
        from headroom.integrations.litellm_callback.installed import install  # it imports this module

        install(self)
        return self

    def uninstall(self) -> None:
        """Undo `install()`."""
        from headroom.integrations.litellm_callback.installed import uninstall  # as above

        uninstall(self)

    # --- before a request -----------------------------------------------------------------------------------------------

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> dict[str, Any] | None:
        """The arguments of a call with its messages compressed; None, which changes nothing, if there is nothing to do."""
        try:
            plan = self.plan(kwargs, calls.dialect_of(call_type))
            if plan is None:
                return None
            result = await plan.service.acompress(plan.plain, _model_of(kwargs), lossless=plan.whose == "nobody's")
            return self.carried_out(plan, kwargs, result)
        except Exception as error:
            self.service.failed(error, _model_of(kwargs))
            return None

    def plan(self, kwargs: Mapping[str, Any], dialect: str | None, *, answered: bool | None = None) -> _Plan | None:
        """What to do to a call with these arguments. `answered`: whether its tool calls can be answered at all."""
        if dialect is None or calls.depth_of(kwargs):  # LiteLLM's own follow-ups carry what was compressed before
            return None
        known = self.seen.get(kwargs.get("litellm_call_id"))
        if known is not None and known.dialect != dialect:  # compressed already, then translated for another provider
            return None
        originals = messages_of(kwargs, dialect)
        if originals is None:
            return None
        if calls.is_offered_here(kwargs.get("tools")):  # a retry, or a fallback: compressed already
            self._remember(kwargs, dialect, "ours", self.service_of(kwargs))
            return None
        can_answer = dialect in self._answered if answered is None else answered
        whose = self._whose(kwargs, can_answer)
        tools = calls.with_retrieval(kwargs["tools"], dialect) if whose == "ours" else None
        service = self.service_of(kwargs) if whose == "ours" else self.service
        return _Plan(dialect, originals, calls.plain_messages(originals), tools, whose, service)

    def _whose(self, kwargs: Mapping[str, Any], can_answer: bool) -> Whose:
        tools = kwargs.get("tools")
        if calls.offers_retrieval(tools):
            return "caller's"
        alone = not kwargs.get("stream") and not kwargs.get("background") and kwargs.get("n") in (None, 1)
        return "ours" if self.retrieve and can_answer and alone and calls.has_callable_tools(tools) else "nobody's"

    def _remember(self, kwargs: Mapping[str, Any], dialect: str, whose: Whose, service: CompressionService) -> str:
        call_id = str(kwargs.get("litellm_call_id") or uuid.uuid4())
        self.seen.put(call_id, SeenCall(dialect, whose, service, calls.forgotten_arguments(kwargs)))
        return call_id

    def carried_out(self, plan: _Plan, kwargs: Mapping[str, Any], result: Any) -> dict[str, Any]:
        """The arguments as the plan wants them: a copy, in which unchanged messages are the caller's own."""
        new = {**kwargs, "litellm_call_id": self._remember(kwargs, plan.dialect, plan.whose, plan.service)}
        if result is not None:
            new = with_messages(new, plan.dialect, calls.with_texts(plan.originals, plan.plain, result))
        return new if plan.tools is None else {**new, "tools": plan.tools}

    def service_of(self, kwargs: Mapping[str, Any]) -> CompressionService:
        """The service of whoever calls: behind a LiteLLM proxy each key has a namespace, and reads only its own originals."""
        tenant = calls.tenant_of(kwargs)
        if not tenant:
            return self.service
        service = self._tenants.get(tenant)
        if service is None:
            service = self._service_for(tenant)
            self._tenants.put(tenant, service)
        return service

    def _service_for(self, tenant: str) -> CompressionService:
        base = self.service
        namespace = f"{base.config.namespace}/{tenant}"
        service = CompressionService(config=base.config, store=base.store, hooks=base.hooks, lossless=base.lossless, namespace=namespace)
        service.savings = base.savings
        return service

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        """The last moment before the wire: fold what no earlier hook was asked about."""
        try:
            if self.seen.get(kwargs.get("litellm_call_id")) is None and not kwargs.get("litellm_params", {}).get("_agentic_loop_depth"):
                self._fold_sent(str(model), messages, kwargs)
        except Exception as error:
            self.service.failed(error, str(model))

    def _fold_sent(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        dialect = calls.dialect_of(kwargs.get("call_type"))
        read = messages_of({"messages": messages, "input": messages}, dialect) if dialect in ("openai", "responses") else None
        arguments = kwargs.get("additional_args") or {}
        if read is None:
            return
        plain = calls.plain_messages(read)
        if not sent_body.can_change(arguments):
            if _is_worth_a_warning(plain):
                provider = kwargs.get("custom_llm_provider") or "this provider"
                raise NotReachedError(f"no callback can change a synchronous request to {provider}: call HeadroomCallback().install() once")
            return
        tools = (kwargs.get("optional_params") or {}).get("tools")
        result = self.service.compress(plain, model, lossless=not calls.offers_retrieval(tools))
        if result is not None:
            sent_body.put_texts(arguments["complete_input_dict"], result.blocks)

    # --- after a response -----------------------------------------------------------------------------------------------

    async def async_should_run_agentic_loop(
        self,
        response: Any,
        model: str,
        messages: list[dict[str, Any]],
        tools: list[dict[str, Any]] | None,
        stream: bool,
        custom_llm_provider: str,
        kwargs: dict[str, Any],
    ) -> tuple[bool, dict[str, Any]]:
        """Whether the model asked for originals that this callback offered, and may still ask."""
        try:
            return self._asks(response, stream, kwargs)
        except Exception as error:
            self.service.failed(error, model)
            return False, {}

    def _asks(self, response: Any, stream: bool, kwargs: Mapping[str, Any]) -> tuple[bool, dict[str, Any]]:
        call = self.seen.get(kwargs.get("litellm_call_id"))
        if stream or call is None or call.whose != "ours" or not retrieval.retrieve_calls(response):
            return False, {}
        depth = calls.depth_of(kwargs)
        if depth >= _rounds(kwargs):
            retrieval.take_out(response)
            return False, {}
        return True, {"headroom_round": depth}  # LiteLLM fails a call in which this repeats itself

    async def async_build_agentic_loop_plan(
        self,
        tools: dict[str, Any],
        model: str,
        messages: list[dict[str, Any]],
        response: Any,
        anthropic_messages_provider_config: Any,
        anthropic_messages_optional_request_params: dict[str, Any],
        logging_obj: Any,
        stream: bool,
        kwargs: dict[str, Any],
    ) -> Any:
        """The request that follows: the conversation, the model's turn, the originals that it asked for."""
        from litellm.types.integrations.custom_logger import AgenticLoopPlan, AgenticLoopRequestPatch  # not in older releases

        dialect = retrieval.dialect_of_response(response) or "openai"
        call = self.seen.get(kwargs.get("litellm_call_id")) or SeenCall(dialect, "ours", self.service)
        try:
            new = await asyncio.to_thread(retrieval.follow_up, list(messages), response, call.service.answer)
        except Exception as error:
            self.service.failed(error, model)
            retrieval.take_out(response)
            return AgenticLoopPlan(run_agentic_loop=False)
        retrieval.take_out(response)  # what the client gets should the follow-up fail: LiteLLM swallows that failure
        is_last = calls.depth_of(kwargs) + 1 >= _rounds(kwargs)
        left = calls.without_retrieval(anthropic_messages_optional_request_params.get("tools")) if is_last else None
        again = {name: call.again[name] for name in calls.FORGOTTEN[dialect] if name in call.again}
        most = again.pop("max_tokens", None)
        patch = AgenticLoopRequestPatch(messages=new, tools=left, max_tokens=most, kwargs=again)
        return AgenticLoopPlan(run_agentic_loop=True, request_patch=patch)


def _rounds(kwargs: Mapping[str, Any]) -> int:
    configured = kwargs.get("max_agentic_loops")
    try:
        return ROUNDS if configured is None else int(configured)
    except (TypeError, ValueError):  # LiteLLM has refused the call by then
        return ROUNDS


def _model_of(kwargs: Mapping[str, Any]) -> str:
    model = kwargs.get("model")
    return model if isinstance(model, str) else ""


def _is_worth_a_warning(messages: Sequence[Any]) -> bool:
    texts = (message.get("content") or message.get("output") for message in messages if isinstance(message, dict))
    return any(len(str(text)) >= WORTH_A_WARNING for text in texts)
