"""Queries for texts: the words and the filters that a person types, as a query of SQLite's FTS5.

Whatever is typed becomes quoted words: nothing of it is ever read as an operator or as SQL.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from anyond.model.refusals.requests import Invalid
from anyond.model.rows import TaskStatus

WORDS_MOST = 32
_TOKEN = re.compile(r'(?:(?P<key>[a-z]+):)?(?:"(?P<quoted>[^"]*)"?|(?P<plain>\S+))')
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z)?)?", re.ASCII)


class Filter(StrEnum):
    """The names of filters, as they stand before a colon."""

    PROJECT = "project"
    AGENT = "agent"
    STATUS = "status"
    BEFORE = "before"
    AFTER = "after"


class TextQuery(Struct, frozen=True, kw_only=True):
    """A query that was understood.

    Args:
        match: for FTS5; "" if there is no word in it.
        filters: the values of filters, by their names.
    """

    match: str
    filters: dict[Filter, str]


def parse(text: str) -> TextQuery:
    """Words that must all be there, the last of a phrase as the beginning of one; and filters.

    Raises:
        Invalid: a filter has a value that cannot be.
    """
    words: list[str] = []
    filters: dict[Filter, str] = {}
    for token in _TOKEN.finditer(text):
        key, quoted = token["key"], token["quoted"]
        value = (token["plain"] if quoted is None else quoted) or ""
        if key in {one.value for one in Filter}:
            filters[Filter(key)] = _checked(Filter(key), value)
            continue
        whole = f"{key}:{value}" if key else value
        # Without a letter or a digit there is nothing that the index would know.
        if any(character.isalnum() for character in whole):
            words.append(_quoted(whole) + ("" if quoted is not None else "*"))
    return TextQuery(match=" AND ".join(words[:WORDS_MOST]), filters=filters)


def _checked(name: Filter, value: str) -> str:
    value = _clean(value).strip()
    if name is Filter.STATUS and value.lower() not in {one.value for one in TaskStatus}:
        raise Invalid("q", f"has a status that is none of {', '.join(TaskStatus)}")
    if name in {Filter.BEFORE, Filter.AFTER} and not _MOMENT.fullmatch(value):
        raise Invalid("q", f"has a moment after {name}: that is not like 2025-01-31")
    return value


def _quoted(word: str) -> str:
    return '"' + _clean(word).replace('"', '""') + '"'


def _clean(text: str) -> str:
    """`text` without what no database takes: NUL, and halves of characters."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
