"""The page of a conversation, read as HTML."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from headroom import ConfigError, FormatError, MemoryStore, compress
from headroom.inspect import conversation, conversation_page, result_page, session
from headroom.inspect.conversation import MOST_CHARACTERS, MOST_SESSIONS
from tests import shop
from tests.conversations import FORMATS, call_and_output
from tests.inspect.recordings import OUTPUT, claude_session, jsonl

EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp;"


class Read(HTMLParser):
    """Tags that were opened, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or (name in ("src", "srcset") and value) for name, value in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(messages: object) -> str:
    page, problems = conversation_page(json.dumps(messages).encode(), "talk.json")
    assert not problems
    return page


def test_before_after_why_tokens_and_retrieval() -> None:
    messages = shop.conversation()
    result = compress(messages, "gpt-4o", store=MemoryStore())
    block = result.blocks[-1]
    read = Read(page_of(messages))
    assert "list_orders" in read.text and "json_records" in read.text
    assert f"{block.tokens_before:,} to {block.tokens_after:,} tokens" in read.text
    assert block.note in read.text
    assert result.messages[-1]["content"] in read.text
    assert f'headroom_retrieve(ref="{block.reference}") gives back the original, byte for byte' in read.text
    assert "Which order failed?" in read.text and "left alone: small" in read.text
    assert "del" in read.tags and "mark" in read.tags


@pytest.mark.parametrize("dialect", FORMATS)
def test_every_format(dialect: str) -> None:
    messages = [
        {"role": "user", "content": "Which failed?"},
        *call_and_output(dialect, 1, "list_orders", '{"page": 7}', [OUTPUT], "I look."),
    ]
    read = Read(result_page("talk", compress(messages, store=(store := MemoryStore())), store, "default"))
    assert "list_orders" in read.text and "byte for byte" in read.text
    assert "page" in read.text and ("I look." in read.text or dialect == "responses"), "what never changes is there too"


def test_nothing_is_run_or_loaded_whatever_the_texts_say() -> None:
    messages = [
        {"role": "system", "content": EVIL},
        {"role": "user", "content": EVIL},
        *call_and_output("openai", 1, EVIL, json.dumps({"q": EVIL}), [shop.info_log({5: "ERROR " + EVIL})], EVIL),
        {"role": "tool", "tool_call_id": "x", "name": EVIL, "content": "\ud800 \x00 \x1b[31m"},
    ]
    page, _ = conversation_page(json.dumps(messages).encode(), f"{EVIL}.json", model=EVIL)
    read = Read(page)
    assert not {"script", "img", "iframe", "object", "link rel=stylesheet"} & set(read.tags)
    assert read.text.count("alert(1)") >= 6, "shown as text"
    assert "default-src 'none'" in page
    assert not re.search(r"(?:https?:)?//[\w.]+", re.sub(r"http-equiv|doctype", "", page.split("<body>")[0]))
    page.encode()


def test_a_claude_code_session() -> None:
    page, problems = conversation_page(jsonl(claude_session()), "log.jsonl")
    read = Read(page)
    assert not problems
    assert "log.jsonl, thread 1" in read.text and "log.jsonl, sidechain 2" in read.text
    assert read.text.count("byte for byte") == 3
    alone, _ = conversation_page(jsonl(claude_session()), "log.jsonl", session=2)
    assert "Which order failed?" not in alone and "billing.py" in alone


def test_any_text_is_one_output() -> None:
    page, _ = conversation_page(shop.info_log({3: "ERROR x"}).encode(), "app.log")
    assert "byte for byte" in page


def test_a_file_of_too_many_conversations() -> None:
    data = jsonl([{"messages": [{"role": "user", "content": "hi"}]}] * (MOST_SESSIONS + 1))
    with pytest.raises(ConfigError, match="--session 1 to 26"):
        conversation_page(data, "many.jsonl")
    assert "hi" in conversation_page(data, "many.jsonl", session=26)[0]
    with pytest.raises(ConfigError, match="1 to 26, not 27"):
        conversation_page(data, "many.jsonl", session=27)


def test_what_cannot_be_read() -> None:
    bad = {"messages": [{"role": "user", "content": 5}]}
    with pytest.raises(FormatError, match=r"messages\[0\].content"):
        conversation_page(json.dumps(bad).encode(), "bad.json")
    page, problems = conversation_page(jsonl([bad, {"messages": shop.conversation()}]), "two.jsonl")
    assert problems == ["two.jsonl, line 1: messages[0].content: must be a string or a list of blocks, not int; skipped"]
    assert "list_orders" in page


def test_an_original_that_is_gone_is_said_to_be() -> None:
    result = compress(shop.conversation(), store=MemoryStore())
    assert "finds nothing" in result_page("talk", result, MemoryStore(), "default")


def test_a_huge_text_is_cut_on_the_page() -> None:
    page = page_of([{"role": "user", "content": "word " * MOST_CHARACTERS}])
    assert "cut here" in page
    assert len(page) < 1.5 * MOST_CHARACTERS


def test_what_nobody_sees_is_made_visible() -> None:
    page = page_of([{"role": "user", "content": "\nrun \u202etxt.exe\u2066 \x1b[31m \x00 \x7f \x85 \ud800 end"}])
    assert "\nrun ⟨U+202E⟩txt.exe⟨U+2066⟩ ␛[31m ␀ ␡ � � end" in Read(page).text
    assert ">\n\nrun" in page, "a browser drops the first line break behind <pre>"


def test_everything_of_a_message_is_there_and_pictures_are_short() -> None:
    call = {"id": "call_9", "type": "function", "function": {"name": "list_orders", "arguments": '{"page": 7}'}}
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 50_000}}
    read = Read(
        page_of(
            [
                {"role": "user", "content": [{"type": "text", "text": "Look:\nhere"}, picture]},
                {"role": "assistant", "content": None, "reasoning_content": "Hm, orders.", "tool_calls": [call]},
            ]
        )
    )
    assert "Look:\nhere" in read.text and "image/png" in read.text and "(50,000 characters)" in read.text
    assert len(read.text) < 10_000
    assert "Hm, orders." in read.text and 'list_orders({"page": 7})' in read.text


def test_a_list_of_the_shortened_texts_leads_to_them() -> None:
    page = page_of([*shop.conversation(), *shop.turn(shop.info_log({7: "ERROR x"}))])
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(links) == 4, "two texts, and what was left out of each"
    for link in links:
        assert page.count(f'id="{link}"') == 1


def test_a_broken_session_that_was_asked_for_is_an_error() -> None:
    data = jsonl([{"messages": [{"role": "user", "content": 5}]}, {"messages": shop.conversation()}])
    with pytest.raises(FormatError, match=r"messages\[0\].content"):
        conversation_page(data, "two.jsonl", session=1)


def test_a_page_has_a_limit_and_the_longest_texts_pay_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = [shop.info_log({n: "ERROR x"}) for n in range(5)]
    messages = [message for n, log in enumerate(logs) for message in shop.turn(log, call=f"read_{n}")]
    whole = page_of(messages)
    monkeypatch.setattr(conversation, "MOST_ON_A_PAGE", 100_000)
    page = page_of(messages)
    assert len(page) < 200_000 < len(whole)
    assert page.count("cut here") == 5 and "cut here" not in whole
    assert page.count("byte for byte") == 5, "what is said of each text stays"


def test_a_text_that_takes_too_long_to_compare_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MOST_COMPARED", 1_000)
    assert "Too long to be compared" in page_of(shop.conversation())
