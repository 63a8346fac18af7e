"""What a marker's reference gives back, tried for real."""

from __future__ import annotations

from headroom import BlockReport, CompressionStore, StoreError, UnknownReferenceError, retrieve
from headroom.core.retrieval_tool import RETRIEVE_TOOL
from headroom.inspect.page import text
from headroom.tools import call

PAGE_TOKENS = 400
"""Of the answer on the page: enough to see what it is."""


def retrieval(block: BlockReport, store: CompressionStore | None, namespace: str) -> str:
    """The call that gets the original back, whether it does, and how the answer begins. HTML."""
    if block.reference is None:
        return '<p class="soft">Nothing to retrieve: the model reads all of it.</p>'
    asked = f'{RETRIEVE_TOOL}(ref="{block.reference}")'
    try:
        original = retrieve(block.reference, store=store, namespace=namespace)
    except UnknownReferenceError:
        return f'<p class="bad"><code>{text(asked)}</code> finds nothing: the original has expired, or was deleted.</p>'
    except StoreError as error:
        return f'<p class="bad"><code>{text(asked)}</code> failed: {text(error)}</p>'
    whole = "gives back the original, byte for byte" if original == block.before else "gives back another text than this one"
    answer = call(RETRIEVE_TOOL, {"ref": block.reference}, store=store, namespace=namespace, page_tokens=PAGE_TOKENS)
    return (
        f"<details><summary><code>{text(asked)}</code> {whole}: {len(original):,} characters</summary>"
        f'<pre tabindex="0">{text(answer)}</pre></details>'
    )
