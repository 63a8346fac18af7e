"""What the other examples of this folder share: a tool with a large output."""

import json

from langchain_core.tools import tool


@tool
def list_orders(day: int) -> str:
    """All orders of a day, as JSON."""
    states = ["shipped", "paid", "paid", "packed"]
    rows = [{"id": f"ord_{7000 + i}", "day": day, "status": states[i % 4], "total": i * 37 % 400 + 0.5} for i in range(300)]
    return json.dumps(rows)
