import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.core.store import MemoryStore, SQLiteStore, default_store
from headroom.core.store.base import LONGER_LENGTHS, CompressionStore, pack, reference_for, references_for, unpack

any_text = st.text(st.characters(exclude_categories=()))


@given(any_text)
def test_packing_keeps_every_character(text):
    assert unpack(pack(text)) == text


@given(any_text, any_text)
def test_longer_references_continue_the_short_one(text, namespace):
    short, *longer = references_for(text, namespace)
    assert short == reference_for(text, namespace)
    assert [len(reference) for reference in longer] == list(LONGER_LENGTHS)
    assert all(reference.startswith(short) for reference in longer)


def test_a_reference_is_the_same_everywhere():
    assert reference_for("hello", "default") == "4ievttwh2a"
    assert reference_for("hello", "default") != reference_for("hello", "other")


def test_both_stores_keep_the_protocol(tmp_path):
    assert isinstance(MemoryStore(), CompressionStore)
    assert isinstance(SQLiteStore(tmp_path / "o.sqlite3"), CompressionStore)


def test_the_default_store_follows_the_environment_and_is_one_per_file(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADROOM_HOME", str(tmp_path / "a"))
    first = default_store()
    assert first is default_store()
    assert first.path == tmp_path / "a" / "originals.sqlite3"
    assert not (tmp_path / "a").exists(), "nothing is opened before it is needed"
    monkeypatch.setenv("HEADROOM_HOME", str(tmp_path / "b"))
    assert default_store() is not first


def test_the_room_has_no_other_names():
    import headroom.core.store as room

    with pytest.raises(AttributeError):
        room.RedisStor  # noqa: B018
