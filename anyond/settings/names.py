"""Spelling of the names of agents and of their variants, and tolerated misspellings."""

from __future__ import annotations

import re

from anyond.model.configuration.settings import Executor

DEFAULT = "DEFAULT"

_LONGEST = 64


def executor_named(text: str) -> Executor | None:
    """The agent that `text` means (`claude-code` is CLAUDE_CODE), or None."""
    name = text.strip().upper().replace("-", "_")
    if name == "CURSOR":
        return Executor.CURSOR_AGENT
    return Executor(name) if name in Executor.__members__ else None


def variant_name(text: str) -> str | None:
    """`text` in SCREAMING_SNAKE_CASE (`gpt-5` is GPT_5), or None if it is not a name.

    A name that this has made stays as it is.
    """
    words = text.strip()
    if any(letter.islower() for letter in words):
        words = re.sub(r"([a-z][0-9]*)([A-Z])", r"\1_\2", words)
        words = re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", words)
    # Capitals of some letters are a letter and a mark, so what is no letter goes afterwards.
    name = "_".join(re.findall(r"[^\W_]+", words.upper()))
    return name if 0 < len(name) <= _LONGEST and not text.startswith("__") else None
