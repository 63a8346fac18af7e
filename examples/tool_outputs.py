"""What the tools of the made-up conversation answer. Every value is computed from its index: no chance, no clock."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

UNPAID_ORDER = "ord_10417"
FATAL_LINE = "2026-03-01T10:12:07.481Z INFO  [worker-3] settlement stopped: out of memory while reading batch 7731, 48 payments not settled"
REJECTED_LINE = "2026-03-01T10:21:40.118Z WARN  [worker-1] ord_10417: paid 1249.00 NOK but total is 1249.004 NOK, order stays open"
HIDDEN_IN_THE_LOG = (FATAL_LINE, REJECTED_LINE)
"""The lines that matter among 2,000. The first says INFO, as the worst ones like to."""


def spread(index: int, below: int, salt: int = 0) -> int:
    """A number below `below` that looks like chance and is not."""
    mixed = ((index + 1) * 2_654_435_761 + salt * 40_503) & 0xFFFFFFFF
    mixed ^= mixed >> 15
    mixed = (mixed * 2_246_822_519) & 0xFFFFFFFF
    return (mixed ^ (mixed >> 13)) % below


def pick(options: Sequence[str], index: int, salt: int = 0) -> str:
    """One of `options`, spread over the indexes."""
    return options[spread(index, len(options), salt)]


def orders() -> str:
    """500 orders as nested JSON, as an HTTP API prints them."""
    first = ("Anna", "Bjorn", "Chloe", "Dario", "Elif", "Femke", "Goran", "Hanna", "Ingrid", "Jonas")
    last = ("Berg", "Costa", "Dahl", "Eriksen", "Fontaine", "Garcia", "Haugen", "Ito", "Jansen", "Koval")
    countries = ("DE", "FR", "NL", "SE", "DK", "PL", "ES", "IT")
    return json.dumps({"object": "list", "has_more": False, "data": [_order(i, first, last, countries) for i in range(500)]})


def _order(i: int, first: Sequence[str], last: Sequence[str], countries: Sequence[str]) -> dict[str, Any]:
    order_id = f"ord_{10_000 + i}"
    norwegian = order_id == UNPAID_ORDER or spread(i, 45) == 7
    given, family = pick(first, i), pick(last, i, 1)
    cents = 1_900 + spread(i, 240_000, 2)
    if order_id == UNPAID_ORDER:
        cents = 124_900
    return {
        "id": order_id,
        "created_at": f"2026-03-01T{6 + i // 120:02d}:{i // 2 % 60:02d}:{spread(i, 60, 3):02d}Z",
        "status": "payment_pending" if norwegian else "paid",
        "customer": {
            "id": f"cus_{spread(i, 90_000, 4) + 10_000}",
            "name": f"{given} {family}",
            "country": "NO" if norwegian else pick(countries, i, 5),
        },
        "total": {"amount": f"{cents / 100:.2f}", "currency": "NOK" if norwegian else "EUR"},
        "items": [{"sku": f"SKU-{spread(i, 400, 6 + n):04d}", "quantity": 1 + spread(i, 3, 20 + n)} for n in range(1 + spread(i, 3, 9))],
        "shipping": {"method": pick(("standard", "express"), i, 10), "warehouse": pick(("ams-1", "ham-2"), i, 11)},
        "test_mode": False,
    }


def service_log() -> str:
    """2,000 lines of a service's log: routine, and two lines that are not."""
    special = {611: FATAL_LINE, 1_380: REJECTED_LINE}
    return "\n".join(special.get(i) or _log_line(i) for i in range(2_000)) + "\n"


def _log_line(i: int) -> str:
    time = f"2026-03-01T10:{i // 60 % 60:02d}:{i % 60:02d}.{spread(i, 1_000):03d}Z"
    worker, order, batch = spread(i, 4, 1), 10_000 + spread(i, 500, 2), 7_000 + i // 2
    routine = (
        f"INFO  [worker-{worker}] GET /v1/orders/ord_{order} 200 {spread(i, 90, 3) + 3}ms",
        f"INFO  [worker-{worker}] POST /v1/payments/webhook 202 {spread(i, 30, 4) + 2}ms",
        f"INFO  [worker-{worker}] settled batch {batch}: 48 of 48 payments",
        f"DEBUG [worker-{worker}] cache hit for customer cus_{spread(i, 90_000, 5) + 10_000}",
        f"INFO  [scheduler] next settlement run in {spread(i, 50, 6) + 5}s",
    )
    if spread(i, 400, 8) == 3:
        return f"{time} WARN  [worker-{worker}] retrying connection to ledger-db (attempt 1 of 5)"
    return f"{time} {pick(routine, i, 7)}"


def kubernetes_pods() -> str:
    """A table with aligned columns; one pod of sixty keeps restarting."""
    lines = [f"{'NAME':<38} {'READY':<7} {'STATUS':<18} {'RESTARTS':<14} {'AGE':<6} {'IP':<14} NODE"]
    services = ("orders-api", "orders-worker", "ledger", "catalog", "checkout", "notifier")
    for i in range(60):
        name = f"{services[i % 6]}-{spread(i, 16**9, 1):09x}-{spread(i, 16**5, 2):05x}"
        ready, status, restarts = "1/1", "Running", "0"
        if i == 31:
            ready, status, restarts = "0/1", "CrashLoopBackOff", "17 (2m ago)"
        lines.append(f"{name:<38} {ready:<7} {status:<18} {restarts:<14} {'3d4h':<6} {f'10.4.{i % 8}.{i + 10}':<14} node-{i % 8}")
    return "\n".join(lines) + "\n"


def payment_attempts() -> str:
    """A tool server's envelope: JSON records as a string inside a text block."""
    rows = [
        {
            "payment_id": f"pay_{spread(i, 16**8, 1):08x}",
            "order_id": UNPAID_ORDER if i == 88 else f"ord_{10_000 + spread(i, 500, 2)}",
            "country": "NO",
            "state": "captured",
            "amount": "1249.00" if i == 88 else f"{(spread(i, 200_000, 3) + 9_900) / 100:.2f}",
            "total_before_rounding": "1249.004" if i == 88 else None,
            "provider": "nordpay",
        }
        for i in range(160)
    ]
    return json.dumps({"type": "text", "text": json.dumps(rows)})


def search_hits() -> str:
    """What grep -rn prints: 140 hits in 14 files, one of them the function."""
    lines = []
    for f in range(14):
        path = "src/orders/settlement.py" if f == 5 else f"src/{pick(('orders', 'ledger', 'checkout', 'reports'), f)}/{_module(f)}.py"
        for n in range(10):
            line = 12 + 17 * n + spread(f * 10 + n, 9)
            lines.append(f"{path}:{line}:{_hit(f, n)}")
    return "\n".join(lines) + "\n"


def _module(f: int) -> str:
    return (
        "api",
        "batch",
        "events",
        "export",
        "handlers",
        "ledger",
        "mail",
        "models",
        "queue",
        "refunds",
        "report",
        "retry",
        "views",
        "worker",
    )[f]


def _hit(f: int, n: int) -> str:
    if f == 5 and n == 2:
        return "def settle(order: Order, payment: Payment) -> bool:"
    texts = (
        f"    from orders.settlement import settle_batch_{n}",
        f"        log.debug('settle %s in {_module(f)}', order.id)",
        f"    settled = settle_batch_{n}(batch, dry_run=False)",
        f"    # settle is called from {_module((f + n) % 14)}",
    )
    return texts[spread(f * 10 + n, 4, 1)]


def source_view() -> str:
    """A Python file as a file-reading tool shows it, line numbers in the margin."""
    source = [
        '"""Settlement: matches payments with orders."""',
        "",
        "from __future__ import annotations",
        "",
        "from decimal import Decimal",
        "",
        "from orders.models import Order, Payment",
        "",
        "",
        "def settle(order: Order, payment: Payment) -> bool:",
        '    """Close the order if the payment covers it."""',
        "    if payment.amount < order.total:  # both in the currency of the order",
        "        order.leave_open(reason='underpaid')",
        "        return False",
        "    order.close(payment)",
        "    return True",
        "",
    ]
    for n in range(24):
        source += ["", *_batch_function(n)]
    return "\n".join(f"{number:>6}\t{line}" for number, line in enumerate(source, 1)) + "\n"


def _batch_function(n: int) -> list[str]:
    noun = ("invoices", "refunds", "vouchers", "deposits", "chargebacks", "payouts")[n % 6]
    return [
        f"def settle_batch_{n}(batch: list[{noun.title()[:-1]}], dry_run: bool = False) -> int:",
        f'    """Settle a batch of {noun} of kind {n} and say how many were closed."""',
        "    closed = 0",
        "    for entry in batch:",
        f"        if entry.currency not in SUPPORTED_{noun.upper()}:",
        f"            log.warning('{noun} %s: unsupported currency %s', entry.id, entry.currency)",
        "            continue",
        f"        if not dry_run and entry.amount >= Decimal({n + 1}):",
        f"            ledger.write(entry.id, '{noun}', entry.amount)",
        "            closed += 1",
        "    return closed",
        "",
    ]


def pull_request() -> str:
    """A unified diff: twelve files, in one of them the line that broke it."""
    parts = []
    for f in range(12):
        path = "src/orders/settlement.py" if f == 7 else f"src/orders/{_module(f)}.py"
        parts += [
            f"diff --git a/{path} b/{path}",
            f"index {spread(f, 16**7, 1):07x}..{spread(f, 16**7, 2):07x} 100644",
            f"--- a/{path}",
            f"+++ b/{path}",
        ]
        for n in range(1 if f == 7 else 3):
            start = 10 + 60 * n
            parts.append(
                f"@@ -{start},13 +{start},14 @@ def {'settle' if f == 7 else f'handle_{n}'}(order: Order, payment: Payment) -> bool:"
            )
            parts += [f"     step_{k} = prepare(order, {k})" for k in range(6)]
            parts += _change(f, n)
            parts += [f"     finish(step_{k}, payment)" for k in range(6)]
    return "\n".join(parts) + "\n"


def _change(f: int, n: int) -> list[str]:
    if f == 7:
        return [
            "-    if round_to_currency(payment.amount) < round_to_currency(order.total):",
            "+    if payment.amount < order.total:  # both in the currency of the order",
        ]
    return [
        f"-    log.info('handled in {_module(f)}')",
        f"+    log.info('handled %s in {_module(f)}', order.id)",
        f"+    metrics.count('{_module(f)}.handled_{n}')",
    ]


def test_run() -> str:
    """A verbose pytest run: 400 tests, one failure."""
    lines = ["=" * 30 + " test session starts " + "=" * 30, "platform linux -- Python 3.12.4, pytest-8.3.3", "collected 400 items", ""]
    failing = "tests/test_settlement.py::test_rounding_difference_closes_the_order[NOK]"
    for i in range(400):
        name = (
            failing
            if i == 233
            else f"tests/test_{_module(i // 30)}.py::test_{pick(('accepts', 'rejects', 'stores', 'mails'), i)}_{_module(i % 14)}_{i}"
        )
        lines.append(f"{name:<90} {'FAILED' if i == 233 else 'PASSED'} [{(i + 1) // 4:>3}%]")
    lines += [
        "",
        "=" * 35 + " FAILURES " + "=" * 35,
        "_" * 20 + " test_rounding_difference_closes_the_order[NOK] " + "_" * 20,
        "",
        "    def test_rounding_difference_closes_the_order(currency):",
        "        order = Order(id='ord_1', total=Decimal('1249.004'), currency=currency)",
        ">       assert settle(order, Payment(amount=Decimal('1249.00')))",
        "E       AssertionError: assert False",
        "E        +  where False = settle(Order(id='ord_1', status='open', reason='underpaid'), Payment(amount=Decimal('1249.00')))",
        "",
        "tests/test_settlement.py:41: AssertionError",
        "=" * 28 + " short test summary info " + "=" * 28,
        f"FAILED {failing} - AssertionError: assert False",
        "=" * 20 + " 1 failed, 399 passed in 12.84s " + "=" * 20,
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":  # python examples/tool_outputs.py service_log
    builders = (orders, service_log, kubernetes_pods, payment_attempts, search_hits, source_view, pull_request, test_run)
    sys.stdout.write({builder.__name__: builder for builder in builders}[sys.argv[1]]())
