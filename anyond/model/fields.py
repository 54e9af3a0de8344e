"""The kinds of text that clients send, as annotations: whoever decodes a request checks by them.

`Annotated[str, …]` is a `str` for everybody else. What each kind demands is in `anyond.api.checks`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Id = Annotated[str, Meta(extra={"kind": "id", "hint": "<uuid>"})]
"""A UUID with hyphens; it is made lower case."""
IdOrEmpty = Annotated[str, Meta(extra={"kind": "id_or_empty"})]
"""The same, or "", which clears."""
Line = Annotated[str, Meta(extra={"kind": "line"})]
"""A name or a title: something is visible, and not too much."""
LineOrEmpty = Annotated[str, Meta(extra={"kind": "line_or_empty"})]
"""The same, or ""."""
Prose = Annotated[str, Meta(extra={"kind": "prose"})]
"""A description or a script, which may be long, but not absurdly."""
Prompt = Annotated[str, Meta(extra={"kind": "prompt"})]
"""Prose that is not blank."""
