"""A tool that says more than a model should read: the orders of a day, made up."""

from __future__ import annotations

import json


def list_orders(day: int) -> str:
    """All orders of a day."""
    orders = [
        {"id": f"ord_{7_000 + number}", "status": "failed" if number == 41 else "paid", "total": number * 37 % 400, "currency": "EUR"}
        for number in range(300)
    ]
    return json.dumps(orders)
