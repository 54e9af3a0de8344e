"""A notifier that starts nothing: who uses it sees what a person would have been told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class FakeNotifier:
    """Takes the place of `DesktopNotifier`.

    Attributes:
        commands: what would have been run, in order.
    """

    commands: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, command: tuple[str, ...]) -> None:
        self.commands.append(command)


def make_desktop(directory: Path) -> Path:
    """A directory for PATH, whose programs show and play nothing."""
    directory.mkdir()
    for name in ("notify-send", "paplay"):
        (directory / name).write_text("#!/bin/sh\n")
        (directory / name).chmod(0o755)
    return directory
