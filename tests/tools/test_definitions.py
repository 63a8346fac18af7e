import json
from pathlib import Path

import pytest

from headroom.core import tokens
from headroom.core.errors import ConfigError
from headroom.tools.definitions import DESCRIPTION, DIALECTS, RETRIEVE_TOOL, definition, is_retrieve_tool


def test_each_dialect_has_its_shape():
    openai, anthropic, responses = (definition(dialect) for dialect in DIALECTS)
    schema = openai["function"]["parameters"]
    assert openai == {"type": "function", "function": {"name": RETRIEVE_TOOL, "description": DESCRIPTION, "parameters": schema}}
    assert anthropic == {"name": RETRIEVE_TOOL, "description": DESCRIPTION, "input_schema": schema}
    assert responses == {"type": "function", "name": RETRIEVE_TOOL, "description": DESCRIPTION, "parameters": schema, "strict": False}
    assert list(schema["properties"]) == ["ref", "query", "lines", "offset"]
    assert schema["required"] == ["ref"]


def test_a_changed_definition_changes_no_other():
    definition("openai")["function"]["parameters"]["properties"].clear()
    assert definition("openai")["function"]["parameters"]["properties"]


def test_is_short():
    assert tokens.estimate(str(definition("anthropic"))) < 260


def test_an_unknown_dialect_is_an_error_that_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'anthropic'"):
        definition("antropic")
    with pytest.raises(ConfigError, match="valid: openai, anthropic, responses"):
        definition("xyz")


@pytest.mark.parametrize(
    "name", ["headroom_retrieve", "mcp__headroom__headroom_retrieve", "headroom.headroom_retrieve", "server/headroom_retrieve"]
)
def test_recognises_the_tool(name):
    assert is_retrieve_tool(name)


@pytest.mark.parametrize("name", ["", "retrieve", "my_headroom_retrieve", "headroom_retrieve_all", "Headroom_Retrieve"])
def test_recognises_nothing_else(name):
    assert not is_retrieve_tool(name)


def test_other_languages_define_the_same_tool():
    contract = json.loads((Path(__file__).parents[1] / "contract" / "retrieve_tool.json").read_text(encoding="utf-8"))
    assert contract == {dialect: definition(dialect) for dialect in DIALECTS}
