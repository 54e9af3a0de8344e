"""Under which names the arguments of a tool say what it works on; each agent has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyond.agents.json_rpc.jsonrpc import as_list, as_text

_PATHS = (
    *("path", "file_path", "filePath", "filepath", "fileName", "abs_path", "absolute_path"),
    *("directory_path", "dir_path"),
)
_OLD = ("old_string", "oldString", "old_str")
_NEW = ("new_string", "newString", "new_str")
_WHOLE = ("content", "file_text")
_QUERIES = ("query", "pattern", "regex", "q")
_FROM = ("source", "from", "old_path", "oldPath", "source_path")
_TO = ("destination", "to", "new_path", "newPath", "destination_path")
_WORKERS = ("subagent_type", "agent_type")


def _first(arguments: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := as_text(arguments.get(name)))), "")


def path_in(arguments: Mapping[str, Any]) -> str:
    """The file or directory; "" if there is none, here and below."""
    return _first(arguments, _PATHS)


def query_in(arguments: Mapping[str, Any]) -> str:
    """Return the query of a search."""
    if found := _first(arguments, _QUERIES):
        return found
    return ", ".join(text for text in map(as_text, as_list(arguments.get("patterns"))) if text)


def url_in(arguments: Mapping[str, Any]) -> str:
    """Return the address that is fetched."""
    return as_text(arguments.get("url")) or _first(arguments, _QUERIES)


def renaming_in(arguments: Mapping[str, Any]) -> tuple[str, str]:
    """From where to where a file is moved."""
    return _first(arguments, _FROM), _first(arguments, _TO)


def replacement_in(arguments: Mapping[str, Any]) -> tuple[str, str]:
    """The old text and the new one of a piece of a file."""
    return _first(arguments, _OLD), _first(arguments, _NEW)


def whole_in(arguments: Mapping[str, Any]) -> str:
    """The whole new content of a file."""
    return _first(arguments, _WHOLE)


def names_worker(arguments: Mapping[str, Any]) -> bool:
    """Return whether a sub-agent is to do it."""
    return any(isinstance(arguments.get(name), str) for name in _WORKERS)
