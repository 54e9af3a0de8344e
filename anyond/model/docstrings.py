"""Docstrings of fields, as clients read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import cleandoc


def split(doc: str) -> tuple[str, str]:
    """The text of a docstring before its section `Args`, and that section."""
    text, _, arguments = cleandoc(doc).partition("Args:\n")
    return text, arguments


def rendered(text: str) -> str:
    """A docstring as clients read it, to whom None means nothing."""
    return re.sub(r"(?<!-)\bNone\b(?!-)", "null", " ".join(text.split()))


def arguments(text: str) -> Iterator[tuple[str, str]]:
    """Names and sentences of a section `Args`."""
    for found in re.finditer(r"^ {4}(\w+(?:, \w+)*): (.*(?:\n {5,}.*)*)", text, re.MULTILINE):
        sentence = rendered(found[2])
        for name in found[1].split(", "):
            yield name, sentence[:1].upper() + sentence[1:]
