"""Titles of tool calls: the name to display, and for some agents the subject."""

from __future__ import annotations

import re

from anyond.agents.common.paths import relative_path

_URL = re.compile(r"https?://\S+")
# One agent asks about a plan in a file, which it has written by another call.
_PLAN_TOOL = "exit_plan_mode"
_PLAN_FILE = re.compile(r"Requesting plan approval for: (/.*)", re.DOTALL)


def displayed_title(title: str, name: str, kind: str, cwd: str) -> str:
    """Return the title of a tool call; a command is left as it is.

    Args:
        name: of the tool, where the agent tells it.
        kind: what stands for a title that there is not.
        cwd: paths in it are shown relative to it.
    """
    if name and title.startswith("{"):
        # The arguments stand for the tool, as if a person knew which one it is.
        title = name
    if kind != "execute":
        cwd = cwd.rstrip("/")
        title = title.replace(cwd + "/", "")
        # A directory is listed by its name alone.
        title = title.removesuffix(cwd) + "." if title.endswith(" " + cwd) else title
    return title or kind or "tool"


def url_of(title: str) -> str:
    """The address in it, or all of it."""
    found = _URL.search(title)
    return found[0] if found else title


def plan_file_of(title: str, call_id: str, cwd: str) -> str | None:
    """The file with a plan to be approved that it names, relative to `cwd`."""
    found = _PLAN_FILE.match(title) if call_id.startswith(_PLAN_TOOL) else None
    return relative_path(found[1], cwd) if found else None
