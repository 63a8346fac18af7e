import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headroom.core.errors import ConfigError, StoreError, UnknownReferenceError
from headroom.core.store import MemoryStore, default_store
from headroom.tools.retrieve import call, retrieve

any_text = st.text(st.characters(exclude_categories=()))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text, lambda inner: st.lists(inner) | st.dictionaries(any_text, inner)
)

LINES = [f"line {i} of many, status {'failed' if i == 1234 else 'ok'}" for i in range(1, 3001)]
TEXT = "\n".join(LINES)
TOOL = "headroom_retrieve"


@pytest.fixture(scope="module")
def store():
    return MemoryStore()


@pytest.fixture(scope="module")
def ref(store):
    return store.put_many([TEXT])[0]


class BrokenStore(MemoryStore):
    def get(self, reference, namespace="default"):
        raise StoreError("the disk is on fire")


# --- for programs ---------------------------------------------------------------------------------------------------------


@given(text=any_text)
def test_gives_back_the_original(text):
    store = MemoryStore()
    (reference,) = store.put_many([text])
    assert retrieve(reference, store=store) == text


def test_never_pages(store):
    (reference,) = store.put_many(["x" * 3_000_000])
    assert retrieve(reference, store=store) == "x" * 3_000_000


@pytest.mark.parametrize(
    "written",
    [
        "{ref}",
        "{ref}-f3k",
        "[{ref}-f3k]",
        "ref={ref}-f3k",
        'ref="{ref}"',
        "Ref: {ref}",
        " '{ref}' ",
        "<{ref}>",
        "`{ref}-abc`.",
        "reference={ref}",
        "[412 of 500 rows left out, all status=ok; headroom_retrieve ref={ref}-f3k]",
    ],
)
@pytest.mark.parametrize("case", [str, str.upper])
def test_a_reference_may_be_written_as_a_model_writes_it(store, ref, written, case):
    assert retrieve(case(written.format(ref=ref)), store=store) == TEXT


def test_query_lines_and_offset(store, ref):
    assert "line 1234: " + LINES[1233] in retrieve(ref, "failed", store=store)
    assert retrieve(ref, lines="7-8", store=store) == "\n".join(LINES[6:8])
    assert retrieve(ref, offset=100, store=store) == TEXT[100:]
    with pytest.raises(ValueError, match="lines="):
        retrieve(ref, lines="x", store=store)
    with pytest.raises(ValueError, match="outside"):
        retrieve(ref, offset=len(TEXT) + 1, store=store)


def test_unknown_references_raise(store, ref):
    for unknown in ("", "unknown", "a" * 100_000, "ref=", "\ud800"):
        with pytest.raises(UnknownReferenceError):
            retrieve(unknown, store=store)
    with pytest.raises(UnknownReferenceError) as caught:
        retrieve(ref, store=store, namespace="other")
    assert caught.value.namespace == "other"
    with pytest.raises(StoreError):
        retrieve(ref, store=BrokenStore())
    with pytest.raises(ConfigError):
        retrieve(7, store=store)


def test_store_and_namespace_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADROOM_HOME", str(tmp_path))
    monkeypatch.setenv("HEADROOM_NAMESPACE", "team")
    (reference,) = default_store().put_many(["theirs"], "team")
    assert retrieve(reference) == "theirs"
    assert call(TOOL, {"ref": reference}) == "theirs"
    monkeypatch.delenv("HEADROOM_NAMESPACE")
    with pytest.raises(UnknownReferenceError):
        retrieve(reference)
    default_store().close()


# --- for agents -------------------------------------------------------------------------------------------------------------


def calls(arguments):
    text = json.dumps(arguments)
    yield {"id": "c1", "type": "function", "function": {"name": TOOL, "arguments": text}}
    yield {"type": "tool_use", "id": "c1", "name": TOOL, "input": arguments}
    yield {"type": "function_call", "call_id": "c1", "name": TOOL, "arguments": text}
    yield {"name": TOOL, "args": arguments, "id": "c1", "type": "tool_call"}
    yield SimpleNamespace(id="c1", type="function", function=SimpleNamespace(name=TOOL, arguments=text))
    yield SimpleNamespace(type="tool_use", id="c1", name=TOOL, input=arguments)
    yield SimpleNamespace(type="function_call", call_id="c1", name=TOOL, arguments=text)


def test_any_shape_of_call(store, ref):
    for written in calls({"ref": ref, "lines": "5"}):
        assert call(written, store=store) == LINES[4]
    assert call(TOOL, {"ref": ref, "lines": "5"}, store=store) == LINES[4]
    assert call("mcp__headroom__" + TOOL, json.dumps({"ref": ref, "lines": "5"}), store=store) == LINES[4]
    assert call({"name": TOOL}, {"ref": ref, "lines": "5"}, store=store) == LINES[4]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"lines": 5}, LINES[4]),
        ({"lines": [5, 6]}, "\n".join(LINES[4:6])),
        ({"lines": "5", "query": "", "offset": None}, LINES[4]),
        ({"offset": str(len(TEXT) - 4)}, TEXT[-4:]),
        ({"offset": float(len(TEXT) - 4)}, TEXT[-4:]),
        ({"query": 1234}, LINES[1233]),
        ({"query": ["failed", "1234"]}, LINES[1233]),
        ({"lines": "5", "limit": 3}, "[unknown and ignored: limit]"),
        ({"lines": "5", "query": "failed"}, "query was used alone"),
    ],
)
def test_plain_mistakes_are_mended(store, ref, arguments, expected):
    assert expected in call(TOOL, {"ref": ref, **arguments}, store=store)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("7", "must be a JSON object"),
        (None, "must be a JSON object"),
        ("", "ref is missing"),
        ({}, "ref is missing"),
        ({"ref": None}, "ref is missing"),
        ({"ref": True}, "ref is missing"),
        ({"ref": {"a": 1}}, "ref is missing"),
        ({"ref": 4711}, "run the tool"),
        ({"ref": "nosuchref2"}, "run the tool"),
        ({"ref": "REF", "lines": "x"}, "is not understood"),
        ({"ref": "REF", "lines": {"from": 1}}, "is not understood"),
        ({"ref": "REF", "lines": "9000-"}, "outside of this original"),
        ({"ref": "REF", "offset": "x"}, "whole number"),
        ({"ref": "REF", "offset": True}, "whole number"),
        ({"ref": "REF", "offset": -1}, "outside of this original"),
        ({"ref": "REF", "offset": 10**30}, "outside of this original"),
        ({"ref": "REF", "query": {"a": 1}}, "query must be words"),
        ({"ref": "REF", "query": "unheard-of"}, "Nothing in this original"),
    ],
)
def test_other_mistakes_are_answered(store, ref, arguments, words):
    if isinstance(arguments, dict) and arguments.get("ref") == "REF":
        arguments = {**arguments, "ref": ref}
    answer = call(TOOL, arguments, store=store)
    assert words in answer and len(answer) < 600


@pytest.mark.parametrize(
    "written", ["search", "", None, 7, {}, [], {"function": None}, {"function": "x"}, {"function": {}}, SimpleNamespace()]
)
def test_another_tool_is_answered(store, written):
    assert "is not headroom_retrieve" in call(written, {"ref": "x"}, store=store)


def test_a_failing_store_is_answered(ref):
    assert "on fire" in call(TOOL, {"ref": ref}, store=BrokenStore())


def test_a_store_that_breaks_its_contract_gets_words_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wild(MemoryStore):
        def get(self, reference: str, namespace: str = "default") -> str | None:
            raise RuntimeError("not of this class")

    assert "RuntimeError: not of this class" in call(TOOL, {"ref": "a"}, store=Wild())
    monkeypatch.setenv("HEADROOM_STORE", "carrier://pigeon")
    assert "is no store" in call(TOOL, {"ref": "a"})


def test_an_answer_repeats_little_of_what_was_asked() -> None:
    store = MemoryStore()
    (reference,) = store.put_many(["text"])
    for asked in ({"lines": "x" * 10**6}, {"lines": "9" * 15 + " " * 10**6}, {"query": "x" * 10**6}, {"offset": "x" * 10**6}):
        assert len(call(TOOL, {"ref": reference, **asked}, store=store)) < 500


@settings(deadline=None)
@given(
    arguments=anything | st.fixed_dictionaries({"ref": st.just("REF")}, optional={"query": anything, "lines": anything, "offset": anything})
)
def test_never_raises(store, ref, arguments):
    if isinstance(arguments, dict) and arguments.get("ref") == "REF":
        arguments = {**arguments, "ref": ref}
    assert isinstance(call(TOOL, arguments, store=store), str)
    assert isinstance(call({"name": TOOL, "input": arguments}, store=store), str)


# --- pages --------------------------------------------------------------------------------------------------------------------


def pages(reference, store, page_tokens):
    """The contents of all pages, read as a model would."""
    offset, contents = 0, []
    while True:
        answer = call(TOOL, {"ref": reference, "offset": offset}, store=store, page_tokens=page_tokens)
        content, _, last = answer.rpartition("\n")
        contents.append(content)
        assert len(content) <= page_tokens * 3.6
        if last.endswith("the end]"):
            return contents
        offset = int(last.rsplit("offset=", 1)[1].rstrip("]"))


def test_a_short_original_comes_whole(store):
    (reference,) = store.put_many(["short\n"])
    assert call(TOOL, {"ref": reference}, store=store) == "short\n"
    assert call(TOOL, {"ref": reference, "offset": 0}, store=store) == "short\n"


def test_pages_end_at_lines_and_add_up(store, ref):
    contents = pages(ref, store, 1000)
    assert "".join(contents) == TEXT
    assert len(contents) > 10
    assert all(content.endswith("\n") for content in contents[:-1])
    assert call(TOOL, {"ref": ref}, store=store, page_tokens=1000).endswith(f"of {len(TEXT)}: go on with offset={len(contents[0])}]")


@settings(deadline=None)
@given(text=st.text("ab\n\r😀", min_size=40), page_tokens=st.integers(1, 10))
def test_pages_of_any_text_add_up(text, page_tokens):
    store = MemoryStore()
    (reference,) = store.put_many([text])
    assert "".join(pages(reference, store, page_tokens)) == text


def test_too_many_lines_are_cut_with_a_word(store, ref):
    answer = call(TOOL, {"ref": ref, "lines": "1-3000"}, store=store, page_tokens=1000)
    content, _, last = answer.rpartition("\n")
    assert TEXT.startswith(content)
    assert last.startswith(f"[cut after {content.count(chr(10)):,} of 3,000 lines: ")
