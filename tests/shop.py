"""What an agent of a shop reads, made up: inputs that several test files share."""

from __future__ import annotations

import json
import random
from typing import Any

from headroom import MemoryStore, compress
from tests.conversations import call_and_output

WORDS = """
    account address amount archive backup balance batch branch bucket cache cancel carrier catalog channel charge checkout
    cluster column commit consumer contract courier credit currency customer database deploy device digest discount email
    endpoint event export feature gateway history import index invoice journal ledger limit locale market merchant message
    metric mobile network notice offset order outbox package partner payment pending pipeline policy portal price product
    profile quota rebate receipt record refund region release replica report request retry return review rollout route
    schedule schema search session shard shipment signal snapshot stock storage stream summary supplier support ticket token
    topic tracking transfer tunnel update upload vendor version voucher wallet warehouse webhook window worker zone
""".split()  # noqa: SIM905  (a hundred lines otherwise)


def turn(text: str | list[str], call: str = "run", arguments: str = "{}", question: str = "what does it say?") -> list[Any]:
    texts = [text] if isinstance(text, str) else text
    return [{"role": "user", "content": question}, *call_and_output("openai", 1, call, arguments, texts, "")]


def shortened(text: str, **options: Any) -> str:
    """What the model reads in place of a tool's output."""
    asked = {name: options.pop(name) for name in ("call", "arguments", "question") if name in options}
    result = compress(turn(text, **asked), store=MemoryStore(), **options)
    after = result.messages[-1]["content"]
    assert isinstance(after, str)
    return after


def phrase(dice: random.Random, length: int) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(length))


def info_log(special: dict[int, str]) -> str:
    lines = [f"2026-02-03T08:{i // 60:02}:{i % 60:02}Z INFO api-{i % 5} handled /v2/orders/{i * 37} in {i % 83} ms" for i in range(1_500)]
    for place, line in special.items():
        lines[place] = line
    return "\n".join(lines) + "\n"


def orders(number: int) -> list[dict[str, Any]]:
    dice = random.Random(11)
    return [
        {
            "id": f"ord_{7000 + i}",
            "status": "failed" if i == 301 else dice.choice(["paid", "shipped"]),
            "customer": {"name": phrase(dice, 2), "tier": dice.choice(["basic", "plus"])},
            "total": round(dice.random() * 400, 2),
            "currency": "EUR",
        }
        for i in range(number)
    ]


def python_file(functions: int = 40) -> str:
    dice = random.Random(21)
    parts = [
        '"""Billing: what is owed, and by whom."""',
        "",
        "import logging",
        "from decimal import Decimal",
        "",
        "log = logging.getLogger(__name__)",
    ]
    for number in range(functions):
        name = f"{dice.choice(WORDS)}_{dice.choice(WORDS)}_{number}"
        parts += ["", "", f"def {name}(ledger, amount, *, dry_run=False):", f'    """{phrase(dice, 7).capitalize()}."""']
        for step in range(dice.randrange(4, 12)):
            parts += [
                f"    if ledger.{dice.choice(WORDS)} > {step}:",
                f"        amount += ledger.{dice.choice(WORDS)}({step}, '{phrase(dice, 2)}')",
            ]
        parts += ['    log.info("%s of %s", amount, ledger)', "    return amount"]
    return "\n".join(parts) + "\n"


def conversation() -> list[Any]:
    """OpenAI chat messages in which an agent has just read 400 orders."""
    return turn(json.dumps(orders(400)), call="list_orders", question="Which order failed?")
