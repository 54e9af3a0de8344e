"""Facts of a class of refusals: its status, words and fields; and the table of them all.

Run it to write the table into the documentation, or to check the one that is there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, get_type_hints

import msgspec
from msgspec import UNSET, UnsetType

from anyond.generated import run
from anyond.http.answer.refusal import STATUS
from anyond.model import docstrings
from anyond.model.errors import TYPES, AnyondError
from anyond.model.refusals import daemon, every

BEGIN = "<!-- Written by `make types`; do not edit. -->\n"
END = "<!-- The end of what is written. -->\n"

_HEAD = "| type | status | further keys | meaning |\n|---|---|---|---|\n"

Refusal = type[AnyondError]


def declared(refusal: Refusal) -> Refusal:
    """The class that clients know `refusal` by: itself, or the one that it is a case of."""
    if refusal.type is None:
        raise TypeError(f"{refusal.__name__} has no type, so no endpoint can name it")
    return TYPES[refusal.type]


def status(refusal: Refusal) -> int:
    """Of the answer."""
    return int(STATUS[refusal.kind])


def text(refusal: Refusal) -> str:
    """Return the occasion of it, for people: the first paragraph of its docstring."""
    return " ".join(_paragraphs(refusal)[0].split())


def error_data(refusal: Refusal) -> type[msgspec.Struct]:
    """The type of `error_data`, tagged as it is."""
    assert refusal.type is not None
    types = get_type_hints(refusal)
    fields: list[Any] = [
        (name, types[name], UNSET)
        if UnsetType in getattr(types[name], "__args__", ())
        else (name, types[name])
        for name in refusal.fields
    ]
    return msgspec.defstruct(
        problem_name(refusal),
        fields,
        namespace={"__doc__": text(refusal)},
        tag=refusal.type,
        tag_field="type",
        kw_only=True,
    )


def problem_name(refusal: Refusal) -> str:
    """The name of the type of its `error_data`."""
    words = "".join(word.capitalize() for word in str(refusal.type).split("_"))
    return f"{words}Problem"


def visible_to_clients() -> Mapping[str, Refusal]:
    """All that clients can be told, by their types."""
    return {name: r for name, r in every().items() if r.__module__ != daemon.__name__}


def table() -> str:
    """All of them as Markdown, by status and type."""
    rows = sorted(visible_to_clients().items(), key=lambda row: (status(row[1]), row[0]))
    return _HEAD + "".join(_row(name, refusal) for name, refusal in rows)


def _row(name: str, refusal: Refusal) -> str:
    keys = ", ".join(f"`{field}`" for field in refusal.fields if field != "message")
    words = " ".join(" ".join(_paragraphs(refusal)).split())
    return f"| `{name}` | {status(refusal)} | {keys} | {words} |\n"


def _paragraphs(refusal: Refusal) -> list[str]:
    words, _ = docstrings.split(cleandoc(refusal.__doc__ or ""))
    return words.partition("Attributes:\n")[0].strip().split("\n\n")


def written(page: str) -> str:
    """`page` with the table as it is now, between the two marks.

    Raises:
        ValueError: it does not have each of them once.
    """
    around = re.fullmatch(f"(.*{re.escape(BEGIN)}).*({re.escape(END)}.*)", page, re.DOTALL)
    if around is None or page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError("the page has no place for the table of refusals")
    return f"{around[1]}\n{table()}\n{around[2]}"


def main(arguments: list[str]) -> int:
    """Write the table into the page that is named, or with `--check` say how it differs."""
    return run(arguments, written, "make types")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
