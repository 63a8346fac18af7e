"""The tool as it is offered to a model, in each provider's dialect."""

from __future__ import annotations

import difflib
from typing import Any

from headroom.core.errors import ConfigError
from headroom.core.retrieval_tool import RETRIEVE_TOOL, is_retrieve_tool

__all__ = ["DIALECTS", "RETRIEVE_TOOL", "definition", "is_retrieve_tool"]

DIALECTS = ("openai", "anthropic", "responses")

# Sent with every request: each word here is paid for in every turn.
DESCRIPTION = (
    f"Get back what was left out of a tool output. Use it when an output says `{RETRIEVE_TOOL} ref=...` and you need a part that "
    "is not shown. Give query for matching parts, lines for a range; with ref alone you get everything."
)
_PARAMETERS = {
    "ref": ("string", "The reference after ref="),
    "query": ("string", "Words or values to find, no pattern"),
    "lines": ("string", 'Range like "120-180"'),
    "offset": ("integer", "Character to go on from"),
}


def definition(dialect: str = "openai") -> dict[str, Any]:
    """The definition of `headroom_retrieve` for a request's `tools` list: a new dict at each call.

    `dialect` is "openai" (Chat Completions), "anthropic" (Messages) or "responses" (OpenAI Responses); ConfigError
    for any other, naming the nearest.
    """
    schema = {
        "type": "object",
        "properties": {name: {"type": kind, "description": words} for name, (kind, words) in _PARAMETERS.items()},
        "required": ["ref"],
    }
    if dialect == "openai":
        return {"type": "function", "function": {"name": RETRIEVE_TOOL, "description": DESCRIPTION, "parameters": schema}}
    if dialect == "anthropic":
        return {"name": RETRIEVE_TOOL, "description": DESCRIPTION, "input_schema": schema}
    if dialect == "responses":
        # Responses makes every function strict unless told otherwise, and strict has no optional parameters.
        return {"type": "function", "name": RETRIEVE_TOOL, "description": DESCRIPTION, "parameters": schema, "strict": False}
    near = difflib.get_close_matches(str(dialect), DIALECTS, n=1, cutoff=0.3)
    hint = f": did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"unknown dialect {dialect!r}{hint} (valid: {', '.join(DIALECTS)})")
