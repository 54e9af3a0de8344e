"""Commands, their output and their exit codes, however an agent wraps them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from anyond.agents.json_rpc.jsonrpc import as_dict, as_list, as_text
from anyond.model.entries import CommandRunResult, ExitCode, Success

_OUTPUTS = ("aggregated_output", "formatted_output", "output", "content", "stdout")
_EXITS = ("exit_code", "exitCode", "exit")
# One agent closes the output of a command with this line.
_SHELL_END = re.compile(r"\n?<shellId: \S+ completed with exit code (-?\d+)>\s*\Z")
# Another one puts it before the output of a command that failed, and a fence around it.
_CODE_FIRST = re.compile(r"\AExit code (-?\d+)(?:\n|\Z)")
_FENCE = re.compile(r"\A```[a-z]*\n(.*?)\n?```\s*\Z", re.DOTALL)
# A third one puts it into a form with these lines.
_FORM = re.compile(
    r"\ACommand: .*^Output: (.*?)\n(?:Error: .*^)?Exit Code: (-?\d+)$", re.MULTILINE | re.DOTALL
)
# What they write where nothing was printed; only some of them tell the exit code then.
_NOTHING = re.compile(
    r"\s*(?:\((?:empty|no output|Bash completed with no output)\)"
    r"|Command exited with code: (-?\d+))\s*"
)


def command_of(arguments: Mapping[str, Any]) -> str:
    """The command line in the input of a tool; "" if there is none."""
    for name in ("command", "cmd", "commands"):
        value = arguments.get(name)
        if isinstance(value, str) and value:
            return value
        words = [word for word in as_list(value) if isinstance(word, str)]
        if len(words) == 3 and words[1] in ("-c", "-lc"):
            return words[2]
        if words:
            return words[0] if len(words) == 1 else shlex.join(words)
    return ""


def printed(reported: str, output: Any) -> tuple[str | None, int | None]:
    """Return the output of a command and its exit code; None where that is not reported.

    Args:
        reported: the text that the agent shows.
        output: the raw output that it tells.
    """
    text, code = _unwrapped(reported, output)
    if text and (nothing := _NOTHING.fullmatch(text)):
        text = ""
        code = int(nothing[1]) if code is None and nothing[1] else code
    return text, code


def result_of(
    output: str | None, code: int | None, success: bool | None
) -> CommandRunResult | None:
    """Return the result of a command, as far as it is reported; None if nothing of it is.

    Args:
        success: what is known without an exit code.
    """
    status: ExitCode | Success | None = None
    if code is not None:
        status = ExitCode(code=code)
    elif success is not None:
        status = Success(success=success)
    if output is None and status is None:
        return None
    return CommandRunResult(exit_status=status, output=output)


def _unwrapped(reported: str, output: Any) -> tuple[str | None, int | None]:
    if form := _FORM.match(reported):
        return as_text(output) or form[1], int(form[2])
    if end := _SHELL_END.search(reported):
        return reported[: end.start()], int(end[1])
    if fenced := _FENCE.match(reported):
        reported = fenced[1]
    if first := _CODE_FIRST.match(reported):
        return reported[first.end() :], int(first[1])
    raw = as_dict(output)
    if not reported:
        reported = as_text(output) or next((t for n in _OUTPUTS if (t := as_text(raw.get(n)))), "")
        reported += as_text(raw.get("stderr")) if "stdout" in raw else ""
    return reported or None, _exit_code(raw)


def _exit_code(raw: Mapping[str, Any]) -> int | None:
    nested = [as_dict(raw.get("metadata")), *map(as_dict, as_list(raw.get("contents")))]
    for place in (raw, *nested):
        for name in _EXITS:
            if isinstance(code := place.get(name), int) and not isinstance(code, bool):
                return code
    return None
