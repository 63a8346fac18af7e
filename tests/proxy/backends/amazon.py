"""What Amazon's side of a request does: recompute its signature, and frame a stream of events."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.scripted_model import Request

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), SignedHeaders=(?P<signed>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)


def signature_problem(request: Request, credentials: Credentials, region: str) -> str:
    """What Amazon would refuse the request for, "" if nothing: the signature is computed anew from what arrived."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        return "not signed"
    sent_at = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    if abs((datetime.now(timezone.utc) - sent_at).total_seconds()) > 300:
        return "signed at another time"
    if found["key"] != credentials.access_key or found["scope"] != f"{sent_at:%Y%m%d}/{region}/bedrock/aws4_request":
        return f"signed for {found['key']}/{found['scope']}"
    signed = found["signed"].split(";")
    missing = {"host", "x-amz-date", "content-type", *(["x-amz-security-token"] if credentials.token else [])} - set(signed)
    if missing:
        return f"not signed: {missing}"
    return "" if _signature(request, signed, credentials, region) == found["signature"] else "the signature does not match"


def _signature(request: Request, signed: list[str], credentials: Credentials, region: str) -> str:
    headers = {name: request.headers[name] for name in signed}
    copy = AWSRequest(request.method, f"http://{request.headers['host']}{request.path}", headers, request.raw)
    copy.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(credentials, "bedrock", region)
    signature: str = signer.signature(signer.string_to_sign(copy, signer.canonical_request(copy)), copy)
    return signature


def chunk_frame(event: Mapping[str, Any]) -> bytes:
    """One piece of a model's answer, in base64 inside JSON inside a frame."""
    payload = {"bytes": base64.b64encode(json.dumps(event).encode()).decode(), "p": "abcdefgh"}
    return frame({":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}, payload)


def exception_frame(name: str, message: str) -> bytes:
    """What ends a stream that has begun."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, {"message": message})


def frame(headers: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    """`application/vnd.amazon.eventstream`: lengths and their checksum, headers, payload, and a checksum of it all."""
    body = json.dumps(payload).encode()
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    raw_name, raw_value = name.encode(), value.encode()
    a_string = 7
    return struct.pack(">B", len(raw_name)) + raw_name + struct.pack(">BH", a_string, len(raw_value)) + raw_value
