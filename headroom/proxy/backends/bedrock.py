"""Anthropic Messages requests to Amazon Bedrock, signed by the official client.

Credentials are what every AWS program uses: AWS_ACCESS_KEY_ID and its companions, a profile, a role, or
AWS_BEARER_TOKEN_BEDROCK.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from headroom import ConfigError, MissingDependencyError
from headroom.proxy.backends.answers import error_event, server_sent, whole
from headroom.proxy.backends.base import UNREAD, BackendOptions, Call, CloudUpstream, Refused, seconds
from headroom.proxy.backends.claude_requests import BEDROCK, beta_header, with_version
from headroom.proxy.backends.model_names import bedrock_foundation_model, bedrock_model
from headroom.proxy.upstream import Headers, UpstreamResponse, forwarded_headers

try:
    import anthropic
    import httpx2
except ImportError as missing:
    raise MissingDependencyError("anthropic", extra="cloud") from missing
try:
    import boto3  # type: ignore[import-untyped]  # noqa: F401  (the client imports it at its first request)
    from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]
except ImportError as missing:
    raise MissingDependencyError("boto3", extra="cloud") from missing


class BedrockUpstream(CloudUpstream):
    """`/v1/messages`, whole and streamed, and `/v1/messages/count_tokens`."""

    name = "bedrock"
    sdk = anthropic
    transport_error = httpx2.HTTPError
    credential_errors = (RuntimeError, BotoCoreError)

    def __init__(self, options: BackendOptions) -> None:
        """ConfigError if neither the options nor the environment name a region."""
        try:
            self._client = anthropic.AsyncAnthropicBedrock(
                aws_region=options.region or None,
                base_url=options.url or None,
                timeout=seconds(anthropic, options.time_outs),
                max_retries=0,  # the caller retries, and knows when
            )
        except (ValueError, BotoCoreError) as error:
            raise ConfigError(f"bedrock: {error} (--region names one)") from error
        self._model_map = options.model_map

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def answer(self, call: Call) -> UpstreamResponse:
        """Refused: what is no Messages request."""
        if call.method == "POST" and call.path == "/messages":
            return await self._message(call)
        if call.method == "POST" and call.path == "/messages/count_tokens":
            return await self._count(call)
        raise Refused(
            f"the bedrock backend speaks Anthropic Messages (POST /v1/messages and /v1/messages/count_tokens), not {call.method} "
            f"{call.path}; the azure and openrouter backends speak OpenAI's dialects"
        )

    async def _message(self, call: Call) -> UpstreamResponse:
        body = await self._body(call)
        betas = beta_header(call.headers, BEDROCK)
        if body.get("stream"):
            stream = await self._client.post(
                "/v1/messages", body=body, cast_to=object, options={"headers": betas}, stream=True, stream_cls=anthropic.AsyncStream[object]
            )
            return UpstreamResponse(200, _event_headers(stream.response.headers), self._events(stream), stream.close)
        response = await self._client.post(
            "/v1/messages", body=body, cast_to=anthropic.AsyncAPIResponse[bytes], options={"headers": {**UNREAD, **betas}}
        )
        return self.passed_on(response.http_response)

    async def _count(self, call: Call) -> UpstreamResponse:
        """The client has no call for this yet, so the request is the service's own: an invocation, not carried out."""
        body = await self._body(call)
        model = bedrock_foundation_model(body.pop("model"))
        body.pop("stream", None)
        betas = beta_header(call.headers, BEDROCK).get("anthropic-beta", "")
        invocation = {"max_tokens": _enough_tokens(body), **({"anthropic_beta": betas.split(",")} if betas else {}), **body}
        encoded = base64.b64encode(json.dumps(invocation).encode()).decode()
        response = await self._client.post(
            f"/model/{quote(model, safe=':')}/count-tokens",
            content=json.dumps({"input": {"invokeModel": {"body": encoded}}}).encode(),
            cast_to=anthropic.AsyncAPIResponse[bytes],
            options={"headers": {"Content-Type": "application/json"}},
        )
        counted = json.loads(await response.read())
        return whole(200, {"input_tokens": counted["inputTokens"]}, response.headers.multi_items())

    async def _body(self, call: Call) -> dict[str, Any]:
        body = await call.json()
        model = bedrock_model(body["model"], self._client.aws_region, self._model_map)
        return with_version({**body, "model": model}, call.headers, BEDROCK, model)

    async def _events(self, stream: anthropic.AsyncStream[object]) -> AsyncIterator[bytes]:
        try:
            async for event in stream:
                yield server_sent(event)
        except anthropic.APIStatusError as error:  # the service ended the stream with words
            yield server_sent(error_event(error.body))
        except Exception as error:  # a frame that is damaged, or the connection
            raise self.broken_off(error) from error
        finally:
            await stream.close()


def _event_headers(headers: Any) -> Headers:
    kept = [(name, value) for name, value in forwarded_headers(headers.multi_items()) if not name.lower().startswith("content-")]
    return [*kept, ("content-type", "text/event-stream; charset=utf-8")]


def _enough_tokens(body: Mapping[str, Any]) -> int:
    """What an invocation must allow to be valid: something, and more than its thinking may take."""
    thinking = body.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    return budget + 1 if isinstance(budget, int) else 1
