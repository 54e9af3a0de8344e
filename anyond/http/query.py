"""How ids, flags and positions are read from paths, query strings and bodies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_plus, unquote_to_bytes

from anyond.model.errors import Invalid
from anyond.model.settings import Executor
from anyond.settings.names import executor_named

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_LARGEST = 2**63 - 1


def check_text(query: str) -> None:
    """Raises `Invalid` if a query string, as it came, stands for bytes that are no text.

    Whoever reads it later gets other characters in their place, and would look for those.
    """
    if "%" not in query:
        return
    for part in query.split("&"):
        try:
            unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            name = unquote_plus(part.partition("=")[0])
            known = name and "\ufffd" not in name
            raise Invalid(name if known else "query string", "is not valid UTF-8") from None


def identity(text: str, field: str) -> str:
    """`text` as an id: a UUID with hyphens, in any case of letters. Raises `Invalid`."""
    small = text.lower()
    # `fullmatch` and ASCII only: "$" would let a newline pass, and lower() knows more letters.
    if not small.isascii() or not _ID.fullmatch(small):
        raise Invalid(field, "must be a UUID such as 3f2b8c1e-5d6a-4e7f-8a9b-0c1d2e3f4a5b")
    return small


def optional_identity(text: str | None, field: str) -> str | None:
    """Like `identity`, but None is None."""
    return None if text is None else identity(text, field)


def identities(texts: list[str] | None, field: str) -> list[str] | None:
    """A list of ids as `identity` reads them; no list is None."""
    if texts is None:
        return None
    return [identity(text, f"{field}[{index}]") for index, text in enumerate(texts)]


def identity_in(args: Mapping[str, str], name: str) -> str:
    """The id that must be in the query string. Raises `Invalid` if it is missing or malformed."""
    found = optional_identity_in(args, name)
    if found is None:
        raise Invalid(name, f"is missing; add ?{name}=<uuid>")
    return found


def optional_identity_in(args: Mapping[str, str], name: str) -> str | None:
    """The id in the query string; missing and empty are both None."""
    return optional_identity(args.get(name) or None, name)


def flag_in(args: Mapping[str, str], name: str) -> bool:
    """A yes or no in the query string, no if it is missing. Raises `Invalid`."""
    text = args.get(name, "false").lower()
    if text not in _FLAGS:
        raise Invalid(name, "must be true or false")
    return _FLAGS[text]


def position_in(args: Mapping[str, str], name: str = "after") -> int | None:
    """The position after which a stream is to go on; None is from the beginning."""
    text = args.get(name)
    return None if text is None else position(text, name)


def position(text: str, field: str) -> int:
    """`text` as a position of a stream. Raises `Invalid`."""
    if not (text.isascii() and text.isdigit()):
        raise Invalid(field, "must be a whole number that is not negative")
    if len(text) > 4_000 or int(text) > _LARGEST:  # Python itself refuses to read longer ones
        raise Invalid(field, f"must be at most {_LARGEST}")
    return int(text)


def executor_in(args: Mapping[str, str], name: str) -> Executor:
    """The agent that must be in the query string. Raises `Invalid` if it is missing or unknown."""
    text = args.get(name, "")
    if not text:
        raise Invalid(name, f"is missing; add ?{name}=<agent>")
    found = executor_named(text)
    if found is None:
        raise Invalid(name, f"{text[:40]} is not one of {', '.join(Executor)}")
    return found
