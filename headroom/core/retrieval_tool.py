"""The tool with which an agent gets originals back: its name, and how each dialect writes it down.

In core because core must know the name, to leave the tool's answers alone; and the definition, because every result
offers it.
"""

from __future__ import annotations

import copy
from typing import Any, Literal

from headroom.core.errors import ConfigError

RETRIEVE_TOOL = "headroom_retrieve"
Dialect = Literal["openai", "anthropic", "responses"]

DESCRIPTION = (
    "Get back what was left out of a shortened tool output. A line such as [412 of 500 rows left out; headroom_retrieve ref=...] "
    "marks it. Ask with query for matching rows or lines, with lines for a range, or with ref alone for everything."
)
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ref": {"type": "string", "description": "The reference in the marker."},
        "query": {"type": "string", "description": "Words or values to look for, e.g. an id. Plain words, no pattern."},
        "lines": {"type": "string", "description": 'A range as a gap names it: "120-180" for lines, "rows 47-199" for rows.'},
        "offset": {"type": "integer", "description": "Where a long original goes on: the character named by the last page."},
    },
    "required": ["ref"],
    "additionalProperties": False,
}


def definition(dialect: str) -> dict[str, Any]:
    """The tool as OpenAI chat ("openai"), Anthropic ("anthropic") or OpenAI Responses ("responses") want it.

    A fresh dict each time. ConfigError for another dialect, naming the nearest one.
    """
    parameters = copy.deepcopy(PARAMETERS)
    if dialect == "openai":
        return {"type": "function", "function": {"name": RETRIEVE_TOOL, "description": DESCRIPTION, "parameters": parameters}}
    if dialect == "anthropic":
        return {"name": RETRIEVE_TOOL, "description": DESCRIPTION, "input_schema": parameters}
    if dialect == "responses":
        # Responses makes a function strict unless told otherwise, and strict knows no optional parameters.
        return {"type": "function", "name": RETRIEVE_TOOL, "description": DESCRIPTION, "parameters": parameters, "strict": False}
    import difflib  # 8 ms, and only a mistake needs it

    near = difflib.get_close_matches(str(dialect), ["openai", "anthropic", "responses"], n=1, cutoff=0.3)
    hint = f": did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"unknown dialect {dialect!r}{hint} (valid: openai, anthropic, responses)")


def is_retrieve_tool(name: str) -> bool:
    """Whether a tool of this name is ours, also behind a prefix that a host adds ("mcp__headroom__headroom_retrieve")."""
    return name == RETRIEVE_TOOL or name.endswith(("__" + RETRIEVE_TOOL, "." + RETRIEVE_TOOL, "/" + RETRIEVE_TOOL, ":" + RETRIEVE_TOOL))
