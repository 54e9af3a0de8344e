"""The end of a run, in a few lines: files, lines, cost, time, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from anyond.cli.following.feed import changed_files
from anyond.cli.following.follower import Ended
from anyond.cli.following.screen import Screen
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.rendering.colors import Style
from anyond.cli.rendering.harmless import in_one_line
from anyond.cli.rendering.times import between, duration
from anyond.model.http.summaries import AttemptSummary
from anyond.model.ids import now
from anyond.model.rows import ProcessStatus

if TYPE_CHECKING:
    from anyond.client import BlockingClient

_FILES = 8


class FileCount(Struct, frozen=True, kw_only=True):
    """A changed file with its lines, where they were counted."""

    path: str
    change: str
    additions: int | None
    deletions: int | None


class RunResult(Struct, frozen=True, kw_only=True):
    """The result of a run, for programs.

    Args:
        attempt: as it is now.
        succeeded: whether the last process ended well.
        exit_code: of that process.
        cost_usd: None if the agent does not tell it.
        seconds: from the beginning of the attempt.
    """

    attempt: AttemptSummary
    succeeded: bool
    exit_code: int | None
    files: list[FileCount]
    additions: int
    deletions: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    seconds: float


def result_of(client: BlockingClient, attempt: AttemptSummary, ended: Ended) -> RunResult:
    """Look at what came of it."""
    files = [
        FileCount(
            path=one.path, change=one.change, additions=one.additions, deletions=one.deletions
        )
        for one in changed_files(client, attempt.id)
    ]
    last, usage = ended
    return RunResult(
        attempt=attempt,
        succeeded=last is not None and last.status is ProcessStatus.COMPLETED,
        exit_code=None if last is None else last.exit_code,
        files=files,
        additions=sum(one.additions or 0 for one in files),
        deletions=sum(one.deletions or 0 for one in files),
        input_tokens=None if usage is None else usage.input_tokens,
        output_tokens=None if usage is None else usage.output_tokens,
        cost_usd=None if usage is None else usage.cost_usd,
        seconds=round(
            between(attempt.created_at, (last.completed_at if last else None) or now()), 3
        ),
    )


def print_result(screen: Screen, result: RunResult) -> None:
    """Print it for people."""
    number = result.attempt.number
    word = "finished" if result.succeeded else "ended without success"
    style = Style.GOOD if result.succeeded else Style.BAD
    parts = [f"{len(result.files)} file{'' if len(result.files) == 1 else 's'}"]
    parts.append(f"+{result.additions} −{result.deletions}")
    if result.cost_usd is not None:
        parts.append(f"${result.cost_usd:.2f}")
    elif result.output_tokens is not None:
        parts.append(f"{(result.input_tokens or 0) + result.output_tokens:,} tokens")
    parts.append(duration(result.seconds))
    screen.line()
    screen.line(f"{'●' if result.succeeded else '✕'} {number} {word} · {' · '.join(parts)}", style)
    for one in result.files[:_FILES]:
        counted = f"+{one.additions or 0} −{one.deletions or 0}"
        screen.line(f"  {in_one_line(one.path)}  {counted}", Style.DIM)
    if len(result.files) > _FILES:
        screen.line(f"  and {len(result.files) - _FILES} more", Style.DIM)
    for command, text in next_commands(result):
        screen.line(f"  {command:<24} {text}")


def next_commands(result: RunResult) -> list[tuple[str, str]]:
    """The three commands that come next most often."""
    number = result.attempt.number
    if result.succeeded and result.files:
        first = [
            (f"anyon diff {number}", "what has changed"),
            (f"anyon merge {number}", f"into {in_one_line(result.attempt.target_branch)}"),
        ]
    else:
        first = [
            (f"anyon logs {number}", "the conversation"),
            (f"anyon retry {number}", "once more from the beginning"),
        ]
    return [*first, (f'anyon send {number} "…"', "say more")]


def exit_code_of(result: RunResult) -> ExitCode:
    """The exit code of a command that has followed it."""
    return ExitCode.DONE if result.succeeded else ExitCode.AGENT_FAILED
