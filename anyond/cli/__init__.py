"""The command `anyon`: one module a group of commands; what a command needs it imports itself."""

from __future__ import annotations

import click

from anyond import __version__
from anyond.cli.frame.commands import Program

MODULES = {
    "agents": "anyond.cli.agents:agents",
    "demo": "anyond.cli.demo:demo",
    "import": "anyond.cli.imports:import_",
    "ps": "anyond.cli.verbs.listing:ps",
    "restore-backup": "anyond.cli.backups:restore_backup",
    "run": "anyond.cli.verbs.run:run",
    "attach": "anyond.cli.verbs.conversation:attach",
    "send": "anyond.cli.verbs.conversation:send",
    "answer": "anyond.cli.verbs.conversation:answer",
    "inbox": "anyond.cli.verbs.conversation:inbox",
    "serve": "anyond.cli.serve:serve",
    "snapshots": "anyond.cli.snapshots:snapshots",
    "stream": "anyond.cli.stream:stream",
}
"""The commands, and where each of them is."""


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    modules=MODULES,
)
@click.version_option(__version__, prog_name="anyon", message="%(prog)s %(version)s")
def main() -> None:
    """Run coding agents in worktrees of their own, and never lose their work."""
