"""The report of an import: what was found, and what became of it."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field

KINDS = ("projects", "tasks", "tags", "images", "attempts", "worktrees", "processes", "drafts")
REASONS_MOST = 50


class Report(Struct):
    """Counts of each kind.

    Attributes:
        found: rows of the old database.
        new: those that are not here yet.
        known: those that are here already, from an earlier import or otherwise.
        deleted: those that came with an earlier import and were deleted here since.
        unended: runs that have not ended in the old database.
        completed: those that had not at an earlier import, and have now.
        left_out: sentences on what is not imported, and why.
    """

    found: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)
    left_out: list[str] = field(default_factory=list)
    log_bytes: int = 0
    unended: int = 0
    completed: int = 0

    def saw(self, kind: str, is_new: bool) -> None:
        """One more of `kind`."""
        self.found[kind] += 1
        (self.new if is_new else self.known)[kind] += 1

    def stays_deleted(self, kind: str) -> None:
        """One of `kind` is not wanted any more."""
        self.found[kind] += 1
        self.deleted[kind] += 1

    def leave(self, reason: object, kind: str | None = None) -> None:
        """Something is left out."""
        if kind is not None:
            self.found[kind] += 1
        self.left_out.append(str(reason))

    def text(self) -> str:
        """The table for the person."""
        lines = [f"{'':12}{'found':>8}{'new':>8}{'known':>8}"]
        lines += [
            f"{kind:12}{self.found[kind]:>8}{self.new[kind]:>8}{self.known[kind]:>8}"
            for kind in KINDS
        ]
        lines.append(f"logs of the new processes: {self.log_bytes / 1e6:.1f} MB")
        if self.completed:
            lines.append(f"\nEnded since an earlier import, to be completed: {self.completed} runs")
        if self.unended:
            lines.append(
                f"\nNot ended there: {self.unended} runs. They are shown as killed, with the log "
                "so far; an import after their end completes them."
            )
        if self.deleted:
            counts = ", ".join(f"{count} {kind}" for kind, count in self.deleted.items())
            lines.append(
                f"\nDeleted here since an earlier import: {counts} (--again brings them back)"
            )
        if self.left_out:
            lines.append(f"\nNot imported ({len(self.left_out)}):")
            lines += [f"  - {reason}" for reason in self.left_out[:REASONS_MOST]]
            more = len(self.left_out) - REASONS_MOST
            if more > 0:
                lines.append(f"  … and {more} more")
        return "\n".join(lines)
