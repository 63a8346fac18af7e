"""OpenAI's chat and Responses requests to Azure OpenAI, through the official client.

The client reads AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY (or AZURE_OPENAI_AD_TOKEN) and OPENAI_API_VERSION. A model
is the name of a deployment.
"""

from __future__ import annotations

import re
from typing import Any

from headroom import ConfigError, MissingDependencyError
from headroom.proxy.backends.base import BackendOptions, Call, Refused, seconds
from headroom.proxy.backends.openai_paths import OpenAIUpstream
from headroom.proxy.upstream import UpstreamResponse

try:
    import openai
except ImportError as missing:
    raise MissingDependencyError("openai", extra="cloud") from missing

_DEPLOYMENT = re.compile(r"\w[\w.-]*", re.ASCII)


class AzureUpstream(OpenAIUpstream):
    """Everything below /v1 that is about models; chat, completions, embeddings and images by deployment."""

    name = "azure"

    def __init__(self, options: BackendOptions) -> None:
        """ConfigError without an endpoint, a credential or an API version."""
        where: Any = {"azure_endpoint": options.url} if options.url else {}
        try:
            self._client = openai.AsyncAzureOpenAI(**where, timeout=seconds(openai, options.time_outs), max_retries=0)
        except (ValueError, openai.OpenAIError) as error:
            raise ConfigError(f"azure: {error}") from error
        self._model_map = options.model_map

    async def answer(self, call: Call) -> UpstreamResponse:
        """Refused: Anthropic's dialect, too."""
        if call.path.startswith("/messages"):
            raise Refused(
                "the azure backend speaks OpenAI's dialects (/v1/chat/completions, /v1/responses), not /v1/messages; "
                "the bedrock, vertex_ai and openrouter backends speak Anthropic Messages"
            )
        return await super().answer(call)

    async def _body(self, call: Call) -> dict[str, Any]:
        body = await super()._body(call)
        if "model" in body and not _DEPLOYMENT.fullmatch(body["model"]):  # it becomes part of the path
            raise Refused(f"model: {body['model']!r} cannot be the name of a deployment")
        return body
