"""The lines of the tour on a terminal: numbered steps, and a conversation as it grows."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.syntax import Syntax

from anyond.model.entries import (
    AssistantMessage,
    CommandRun,
    Created,
    Denied,
    ErrorMessage,
    Failed,
    NormalizedEntry,
    PendingApproval,
    StatusTimedOut,
    Thinking,
    TodoManagement,
    ToolUse,
)

_LONGEST = 100


class Screen:
    """A console that displays each thing once, however often an entry comes again."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = 0
        self._displayed: dict[int, int] = {}
        self._open_entry: int | None = None

    def headline(self, text: str) -> None:
        """Begin the next step."""
        self.close_line()
        self._step += 1
        self._console.print(f"\n[bold blue]{self._step}.[/bold blue] [bold]{escape(text)}[/bold]")

    def detail(self, text: str) -> None:
        """Write a line of plain text below the headline."""
        self._console.print(f"   {escape(text)}")

    def line(self, markup: str) -> None:
        """Write a line of markup, after what is open."""
        self.close_line()
        self._console.print(f"   {markup}")

    def rule(self, title: str, text: str) -> None:
        """Write plain text below a rule."""
        self._console.print(Rule(title))
        self._console.print(text, markup=False)

    def patch(self, text: str) -> None:
        """Write a diff, in colours where there are any."""
        if self._console.is_terminal:
            self._console.print(Syntax(text, "diff", background_color="default"))
        else:
            self._console.print(text, markup=False)

    def begin_conversation(self) -> None:
        """Forget which entries are displayed: indexes begin anew."""
        self._displayed.clear()

    def entry(self, index: int, entry: NormalizedEntry) -> str | None:
        """Display what is new of the entry with that index.

        Returns:
            The id of the approval request that it waits for, the first time.
        """
        match entry.entry_type:
            case AssistantMessage():
                self._grow(index, entry.content, "")
            case Thinking():
                self._grow(index, entry.content, "dim italic")
            case ToolUse() as tool:
                return self._tool(index, entry, tool)
            case ErrorMessage() if self._first(index, 1):
                self.line(f"[red]{escape(entry.content)}[/red]")
        return None

    def close_line(self) -> None:
        """End the line of a text that has been growing."""
        if self._open_entry is not None:
            self._console.print()
            self._open_entry = None

    def _tool(self, index: int, entry: NormalizedEntry, tool: ToolUse) -> str | None:
        action = tool.action_type
        match tool.status:
            case Created():
                stage, mark = 1, "[cyan]…[/cyan]"
            case PendingApproval():
                stage, mark = 2, "[yellow]?[/yellow]"
            case Failed() | Denied() | StatusTimedOut():
                stage, mark = 3, "[red]✗[/red]"
            case _:
                stage, mark = 3, "[green]✓[/green]"
        fresh = self._first(index, stage)
        if fresh:
            name = action.__struct_config__.tag
            self.line(f"{mark} [bold]{name}[/bold] {escape(_first_line(entry))}")
            if isinstance(action, TodoManagement):
                for todo in action.todos:
                    self.line(f"    {escape(todo.status):<12} {escape(todo.content)}")
        if stage == 3 and isinstance(action, CommandRun) and self._first(index, 4):
            output = (action.result.output if action.result is not None else None) or ""
            for line in output.rstrip().splitlines():
                self.line(f"    [dim]{escape(line)}[/dim]")
        if isinstance(tool.status, PendingApproval) and fresh:
            return tool.status.approval_id
        return None

    def _grow(self, index: int, text: str, style: str) -> None:
        displayed = self._displayed.get(index, 0)
        if self._open_entry != index:
            self.close_line()
            self._console.print("   ", end="")
            self._open_entry = index
        piece = text[displayed:].replace("\n", "\n   ")
        self._console.print(escape(piece), end="", style=style or None)
        self._displayed[index] = len(text)

    def _first(self, index: int, stage: int) -> bool:
        fresh = self._displayed.get(index, 0) < stage
        self._displayed[index] = max(stage, self._displayed.get(index, 0))
        return fresh


def _first_line(entry: NormalizedEntry) -> str:
    line = entry.content.strip().partition("\n")[0]
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
