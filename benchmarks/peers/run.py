"""One run of a peer: the lab, the sizes, and the figures so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure, size
from benchmarks.lab import Lab
from benchmarks.peers.peer import Peer


@dataclass
class Run:
    """The values that all rows share.

    Args:
        place: where the fake agent notes its starts.
        files: the number of files of the large repository.
        lines: those of the talkative program.
        tasks: those of the long list.
        rounds: pairs of each row.
    """

    lab: Lab
    peer: Peer
    place: Path
    files: int
    lines: int
    tasks: int
    rounds: int
    figures: list[Figure] = field(default_factory=list)

    def add(self, *figures: Figure) -> None:
        """Keep some figures."""
        self.figures += figures

    def memory(self, when: str) -> None:
        """Keep what the peer's memory, and its files, come to now."""
        found = self.peer.memory()
        if found is not None:
            own, below = found
            files = self.peer.files()
            disk = "" if files is None else f"; files: {size(files)}"
            value = f"{size(own)}; below it: {size(below)}{disk}"
            self.add(Figure(f"memory {when}", value))
