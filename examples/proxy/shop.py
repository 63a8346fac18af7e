"""What the agents of these examples have to work with."""

import json


def list_orders(day: int) -> str:
    """All orders of a day, as an API would give them."""
    rows = [
        {
            "id": f"ord_{7_000 + number}",
            "status": "refunded" if number == 133 else "paid",
            "total": round(number * 37 % 400 + 0.5, 2),
            "items": number % 7 + 1,
            "note": f"left at the door of number {number * 31 % 997}",
        }
        for number in range(400)
    ]
    return json.dumps(rows)
