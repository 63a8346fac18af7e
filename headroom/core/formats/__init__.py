"""The wire formats, asked in this order; a conversation may mix them. Adding one is a file and a line."""

from __future__ import annotations

from headroom.core.formats import anthropic, openai_chat, openai_responses, openclaw, vercel
from headroom.core.formats.parts import ITEM as ITEM
from headroom.core.formats.parts import MessageParts as MessageParts

FORMATS = (openai_responses, vercel, openclaw, anthropic, openai_chat)
