"""Without agno, importing the integration says what to install; the table of integrations names it all the same."""

from __future__ import annotations

import subprocess
import sys

import headroom.integrations as integrations
from headroom.integrations import agno as guest

MISSING = """
import sys
sys.modules["agno"] = None
from headroom import MissingDependencyError
for attempt in ("import headroom.integrations.agno", "from headroom.integrations import HeadroomAgnoModel"):
    try:
        exec(attempt)
    except MissingDependencyError as error:
        print(error)
"""


def test_a_missing_framework_is_named_with_its_extra() -> None:
    done = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["agno is not installed: pip install 'headroom-ai[agno]'"] * 2


def test_every_name_is_in_the_table_and_documented() -> None:
    for name in guest.__all__:
        assert getattr(integrations, name) is getattr(guest, name)
        assert getattr(guest, name).__doc__
