"""The command `anyon`: one module a group of commands; what a command needs it imports itself."""

from __future__ import annotations

import click

from anyond import __version__
from anyond.cli.frame.commands import Program

MODULES = {
    "agents": "anyond.cli.agents:agents",
    "answer": "anyond.cli.verbs.conversation:answer",
    "archive": "anyond.cli.verbs.archiving:archive",
    "attach": "anyond.cli.verbs.conversation:attach",
    "backup": "anyond.cli.verbs.backups:backup",
    "cd": "anyond.cli.verbs.worktrees:print_path",
    "compare": "anyond.cli.verbs.changes:compare",
    "completion": "anyond.cli.verbs.shells:completion",
    "config": "anyond.cli.verbs.settings:config",
    "demo": "anyond.cli.demo:demo",
    "diff": "anyond.cli.verbs.changes:diff",
    "doctor": "anyond.cli.verbs.doctor:doctor",
    "edit": "anyond.cli.verbs.worktrees:edit",
    "events": "anyond.cli.verbs.daemon:events",
    "exec": "anyond.cli.verbs.worktrees:execute",
    "export": "anyond.cli.verbs.export:export",
    "import": "anyond.cli.imports:import_",
    "inbox": "anyond.cli.verbs.conversation:inbox",
    "logs": "anyond.cli.verbs.reading:logs",
    "mcp": "anyond.cli.verbs.mcp:mcp",
    "merge": "anyond.cli.verbs.merging:merge",
    "new": "anyond.cli.verbs.lifecycle:new",
    "open": "anyond.cli.verbs.worktrees:open_address",
    "paths": "anyond.cli.verbs.daemon:paths",
    "pr": "anyond.cli.verbs.merging:pr",
    "profiles": "anyond.cli.verbs.settings:profiles",
    "projects": "anyond.cli.verbs.settings:projects",
    "ps": "anyond.cli.verbs.listing:ps",
    "push": "anyond.cli.verbs.merging:push",
    "rebase": "anyond.cli.verbs.merging:rebase",
    "restart": "anyond.cli.verbs.daemon:restart",
    "restore": "anyond.cli.verbs.backups:restore",
    "restore-backup": "anyond.cli.backups:restore_backup",
    "retention": "anyond.cli.verbs.retention:retention",
    "retry": "anyond.cli.verbs.lifecycle:retry",
    "review": "anyond.cli.verbs.reviewing:review",
    "rm": "anyond.cli.verbs.lifecycle:rm",
    "run": "anyond.cli.verbs.run:run",
    "search": "anyond.cli.verbs.finding:search",
    "send": "anyond.cli.verbs.conversation:send",
    "serve": "anyond.cli.serve:serve",
    "service": "anyond.cli.verbs.service:service",
    "snapshots": "anyond.cli.snapshots:snapshots",
    "status": "anyond.cli.verbs.daemon:status",
    "stop": "anyond.cli.verbs.lifecycle:stop",
    "stop-daemon": "anyond.cli.verbs.daemon:stop_daemon",
    "stream": "anyond.cli.stream:stream",
    "token": "anyond.cli.verbs.tokens:token",
    "undo": "anyond.cli.verbs.changes:undo",
    "usage": "anyond.cli.verbs.finding:usage",
    "version": "anyond.cli.verbs.daemon:version",
    "wait": "anyond.cli.verbs.lifecycle:wait",
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
