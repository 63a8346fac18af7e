"""The names: in Python, in a proxy's YAML file, and what happens without LiteLLM."""

from __future__ import annotations

import subprocess
import sys

import litellm
import pytest
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy.types_utils.utils import get_instance_fn

from headroom import MissingDependencyError
from headroom.integrations.litellm_callback import HeadroomCallback, proxy_handler_instance
from tests.integrations.litellm.talk import LITELLMS_OWN_WARNINGS, PROVIDERS, Model, conversation, is_shorter

pytestmark = LITELLMS_OWN_WARNINGS

NAMES = ["headroom.integrations.litellm_callback.HeadroomCallback", "headroom.integrations.litellm_callback.proxy_handler_instance"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_in_yaml_gives_a_callback_that_works(name: str) -> None:
    loaded = get_instance_fn(name, config_file_path="/nowhere/config.yaml")
    assert isinstance(loaded, CustomLogger)
    litellm.callbacks = [loaded]
    with Model() as model:
        await litellm.acompletion(messages=conversation("openai"), **PROVIDERS["openai"].at(model))
        assert is_shorter(model.requests[0])


def test_in_python_the_name_is_a_class() -> None:
    callback = HeadroomCallback(lossless=True)
    assert isinstance(callback, HeadroomCallback)
    assert isinstance(proxy_handler_instance, HeadroomCallback)
    assert not isinstance("text", HeadroomCallback)
    assert callback is not HeadroomCallback()

    class Mine(HeadroomCallback):
        pass

    assert isinstance(Mine(), HeadroomCallback)
    assert isinstance(Mine(), Mine)
    assert "litellm.callbacks" in str(HeadroomCallback.__doc__)


def test_without_litellm_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['litellm'] = None\n"
        "from headroom import MissingDependencyError\n"
        "try:\n    import headroom.integrations.litellm_callback\n"
        "except MissingDependencyError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(MissingDependencyError("litellm", extra="litellm"))
