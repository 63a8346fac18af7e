"""What a program in any language does with the proxy's own endpoints: shorten messages, and get an original back.

headroom proxy --port 8787
python examples/proxy/other_languages.py http://localhost:8787
"""

import json
import sys
from urllib.request import Request, urlopen

import shop


def post(path: str, body: dict) -> dict:
    headers = {"content-type": "application/json", "authorization": "Bearer my-key"}
    with urlopen(Request(sys.argv[1] + path, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)


call = {"id": "call_1", "type": "function", "function": {"name": "list_orders", "arguments": '{"day": 3}'}}
messages = [
    {"role": "user", "content": "What became of order ord_7133?"},
    {"role": "assistant", "content": None, "tool_calls": [call]},
    {"role": "tool", "tool_call_id": "call_1", "content": shop.list_orders(3)},
]
compressed = post("/v1/compress", {"model": "gpt-5", "messages": messages})
print(f"{compressed['tokens_before']} tokens, {compressed['tokens_saved']} saved")

found = post("/v1/retrieve", {"ref": compressed["references"][0], "query": "ord_7133"})
print(found["text"])
