"""The command `anyon`: one module a group of commands; what a command needs it imports itself."""

from __future__ import annotations

import click

from anyond import __version__
from anyond.cli.agents import agents
from anyond.cli.backups import restore_backup
from anyond.cli.demo import demo
from anyond.cli.imports import import_
from anyond.cli.serve import serve
from anyond.cli.snapshots import snapshots


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    commands=[serve, demo, import_, restore_backup, agents, snapshots],
)
@click.version_option(__version__, prog_name="anyon", message="%(prog)s %(version)s")
def main() -> None:
    """Run coding agents in worktrees of their own, and never lose their work.

    Exit codes: 0 all well, 1 failure, 2 wrong usage, 3 a daemon is already running.
    """
