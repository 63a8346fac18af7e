"""Generated conversations in every wire format, for the property tests. Everything here is made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Message = dict[str, Any]
FORMATS = ("openai", "anthropic", "responses", "vercel", "openclaw")

_PLAIN = ("order", "user", "status", "failed", "ok", "pending", "shipped", "error", "timeout", "retry", "connection", "refused", "null")
_ODD = ("payload_id", "src/app/main.py", "eu-west-1", "7f3a9c", "4711", "INFO", "WARN", "naïve", "数据", "🙂", "true", "1.10", "\u2028")
WORDS = st.sampled_from((*_PLAIN, *_ODD))
NASTY = st.text(st.characters(codec=None, categories=None), max_size=60)  # lone surrogates and NUL included


@st.composite
def records(draw: st.DrawFn) -> str:
    """JSON records, sometimes uneven, in several layouts."""
    count = draw(st.integers(3, 60))
    salt = draw(st.integers(0, 999))
    constant = draw(WORDS)
    rows = [
        {
            "id": f"ord_{salt}_{i}",
            "status": "failed" if i == salt % count else "ok",
            "region": constant,
            "price": {"amount": i * 1.5, "currency": "EUR"},
            **({"note": draw(NASTY)} if i % 17 == 0 else {}),
        }
        for i in range(count)
    ]
    layout = draw(st.integers(0, 5))
    if layout == 0:
        return json.dumps(rows)
    if layout == 1:
        return json.dumps({"count": count, "items": rows, "next": None}, indent=2)
    if layout == 2:
        return "\n".join(json.dumps(row) for row in rows)
    if layout == 3:
        return json.dumps({"type": "text", "text": json.dumps(rows)})
    if layout == 4:
        return "The service answered:\n" + json.dumps(rows) + "\nDone."
    return "<output>\n" + json.dumps(rows, ensure_ascii=False) + "\n</output>"


@st.composite
def logs(draw: st.DrawFn) -> str:
    """A log with runs, colours, carriage returns and a rare line."""
    count = draw(st.integers(5, 200))
    salt = draw(st.integers(0, 10_000))
    lines = [f"2026-01-0{1 + i % 9}T10:00:{i % 60:02d} INFO request {i + salt} handled in {i % 7} ms" for i in range(count)]
    lines.insert(salt % count, "\x1b[31mERROR payment declined for card_" + str(salt) + "\x1b[0m")
    lines.insert(0, "progress 1%\rprogress 50%\rprogress 100%")
    lines += ["same line"] * draw(st.integers(0, 30))
    return "\n".join(lines)


@st.composite
def words(draw: st.DrawFn) -> str:
    """Plain lines, from none to many."""
    lines = draw(st.lists(st.lists(WORDS, min_size=0, max_size=12).map(" ".join), max_size=12))
    return "\n".join(line + " " + str(i) for i in range(draw(st.integers(1, 12))) for line in lines)


def code() -> st.SearchStrategy[str]:
    """A numbered view of a file."""
    return st.integers(1, 120).map(
        lambda n: "\n".join(f"{i + 1:6}\t" + (f"def f_{i}(a, b):" if i % 9 == 0 else f"    value_{i} = a + b * {i}") for i in range(n * 3))
    )


OUTPUTS: st.SearchStrategy[str] = st.one_of(records(), logs(), words(), code(), NASTY, st.sampled_from(["", " ", "[" * 400, "\n" * 900]))
PROSE = st.lists(WORDS, max_size=20).map(" ".join)
USER_TEXTS = st.one_of(
    PROSE,
    st.tuples(PROSE, records(), PROSE).map("\n".join),
    st.tuples(PROSE, logs(), PROSE).map("\n".join),
    st.tuples(PROSE, records(), PROSE).map(lambda t: f"{t[0]}\n```json\n{t[1]}\n```\n{t[2]}"),
)


def call_and_output(dialect: str, number: int, name: str, arguments: str, outputs: list[str], says: str) -> list[Message]:
    """An assistant's call and its answer."""
    call_id = f"call_{number}"
    if dialect == "openai":
        function = {"name": name, "arguments": arguments}
        content: Any = outputs[0] if len(outputs) == 1 else [{"type": "text", "text": text} for text in outputs]
        return [
            {"role": "assistant", "content": says or None, "tool_calls": [{"id": call_id, "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": call_id, "content": content},
        ]
    if dialect == "anthropic":
        said = [{"type": "text", "text": says}] if says else []
        inner: Any = outputs[0] if len(outputs) == 1 else [{"type": "text", "text": text} for text in outputs]
        return [
            {"role": "assistant", "content": [*said, {"type": "tool_use", "id": call_id, "name": name, "input": {"q": arguments}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": call_id, "content": inner, "is_error": number % 5 == 0},
                    {"type": "text", "text": "go on", "cache_control": {"type": "ephemeral"}},
                ],
            },
        ]
    if dialect == "vercel":
        texts = [{"type": "text", "text": text} for text in outputs]
        output: Any = {"type": "text", "value": outputs[0]} if len(outputs) == 1 else {"type": "content", "value": texts}
        call = {"type": "tool-call", "toolCallId": call_id, "toolName": name, "input": {"q": arguments}}
        answer = {"type": "tool-result", "toolCallId": call_id, "toolName": name, "output": output, "providerOptions": {"x": {"y": 1}}}
        said = [{"type": "text", "text": says}] if says else []
        return [{"role": "assistant", "content": [*said, call]}, {"role": "tool", "content": [answer]}]
    if dialect == "openclaw":
        said = [{"type": "text", "text": says}] if says else []
        call = {"type": "toolCall", "id": call_id, "name": name, "arguments": {"q": arguments}}
        content = [{"type": "text", "text": text} for text in outputs]
        return [
            {"role": "assistant", "content": [*said, call], "timestamp": number},
            {"role": "toolResult", "toolCallId": call_id, "toolName": name, "content": content, "isError": number % 5 == 0},
        ]
    output = outputs[0] if len(outputs) == 1 else [{"type": "input_text", "text": text} for text in outputs]
    return [
        {"type": "reasoning", "id": f"rs_{number}", "summary": []},
        {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments},
        {"type": "function_call_output", "call_id": call_id, "output": output},
    ]


@st.composite
def conversations(draw: st.DrawFn, outputs: st.SearchStrategy[str] = OUTPUTS, dialect: str | None = None) -> list[Message]:
    """A conversation: instructions, a user, some calls with answers, the user again."""
    dialect = dialect or draw(st.sampled_from(FORMATS))
    system = {"role": "system", "content": "Follow the policy.\n" + draw(records())}
    messages: list[Message] = [] if dialect == "anthropic" else [system]
    messages.append({"role": "user", "content": draw(USER_TEXTS)})
    seen: list[str] = []
    for number in range(draw(st.integers(0, 4))):
        texts = draw(st.lists(outputs, min_size=1, max_size=2))
        if seen and draw(st.booleans()):
            texts = [draw(st.sampled_from(seen))]  # the same output again
        seen += texts
        arguments = draw(st.sampled_from(['{"id": "ord_1"}', '{"path": "src/app/main.py"}', "{}"]))
        messages += call_and_output(dialect, number, draw(st.sampled_from(["read", "list_orders"])), arguments, texts, draw(PROSE))
    messages.append({"role": "user", "content": draw(PROSE)})
    return messages


def texts_at(messages: list[Message], visit: Callable[[tuple[Any, ...], str], None]) -> None:
    """Call `visit(path, text)` for every string anywhere in the messages."""

    def walk(value: Any, path: tuple[Any, ...]) -> None:
        if isinstance(value, str):
            visit(path, value)
        elif isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*path, key))
        elif isinstance(value, list):
            for position, inner in enumerate(value):
                walk(inner, (*path, position))

    walk(messages, ())


def text_at(messages: list[Message], path: tuple[Any, ...]) -> str:
    """The text at a path, as reports name it."""
    value: Any = messages
    for step in path:
        value = value[step]
    assert isinstance(value, str)
    return value
