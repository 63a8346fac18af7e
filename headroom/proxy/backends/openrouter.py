"""OpenAI's chat and Responses requests, and Anthropic's Messages, to OpenRouter. The key is OPENROUTER_API_KEY."""

from __future__ import annotations

from headroom import ConfigError, MissingDependencyError
from headroom.core.config import openrouter_api_key
from headroom.proxy.backends.base import BackendOptions, Call, Refused, seconds
from headroom.proxy.backends.openai_paths import OpenAIUpstream
from headroom.proxy.upstream import UpstreamResponse

try:
    import openai
except ImportError as missing:
    raise MissingDependencyError("openai", extra="cloud") from missing

OPENROUTER_URL = "https://openrouter.ai/api/v1"


class OpenRouterUpstream(OpenAIUpstream):
    """Everything below /v1 that is about models, Messages included."""

    name = "openrouter"

    def __init__(self, options: BackendOptions) -> None:
        """ConfigError without a key."""
        key = openrouter_api_key()
        if not key:
            raise ConfigError("openrouter: set OPENROUTER_API_KEY")
        self._client = openai.AsyncOpenAI(
            api_key=key,
            base_url=options.url or OPENROUTER_URL,
            timeout=seconds(openai, options.time_outs),
            max_retries=0,  # the caller retries, and knows when
            # Whoever uses OpenAI itself has these in the environment; they are nothing to OpenRouter.
            default_headers={"OpenAI-Organization": openai.omit, "OpenAI-Project": openai.omit},  # type: ignore[dict-item]
        )
        self._model_map = options.model_map

    async def answer(self, call: Call) -> UpstreamResponse:
        """Refused: counting tokens, too."""
        if call.path.startswith("/messages/"):
            raise Refused(f"the openrouter backend speaks Anthropic Messages (POST /v1/messages), but not /v1{call.path}")
        return await super().answer(call)
