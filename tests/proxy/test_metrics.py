"""Figures for Prometheus."""

from __future__ import annotations

import re

from headroom import MemoryStore, Savings, compress
from headroom.proxy.history import History
from headroom.proxy.limits import Room
from headroom.proxy.metrics import Metrics
from tests.shop import info_log, turn

SAMPLE = re.compile(r'[a-z_]+(?:\{(?:[a-z]+="[^"\\\n]*",?)*\})? -?[0-9.e+-]+')


def test_every_line_is_one_that_prometheus_reads() -> None:
    metrics, savings, history = Metrics(), Savings(), History()
    result = compress(turn(info_log({})), store=MemoryStore())
    savings.add(result)
    history.add(history.begin("/v1/messages"), result)
    metrics.answered("anthropic", "anthropic", 200)
    metrics.answered("openai", "", 429)
    metrics.rejected("too_many")
    metrics.prepared(0.003)
    metrics.prepared(7.0)
    text = metrics.text(savings, history, Room(3))
    assert text.endswith("\n")
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) headroom_\w+ .+", line) or SAMPLE.fullmatch(line), line
    assert 'headroom_requests_total{provider="openai",dialect="other",status="429"} 1' in text
    assert f'headroom_tokens_saved_by_kind_total{{kind="logs"}} {result.tokens_saved}' in text
    assert 'headroom_own_seconds_bucket{le="0.005"} 1' in text
    assert 'headroom_own_seconds_bucket{le="+Inf"} 2' in text
    assert "headroom_own_seconds_count 2" in text
    assert "headroom_open_requests 0" in text
