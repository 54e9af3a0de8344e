"""An old vibe-kanban with one of everything, and the program that imports it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.daemon import Daemon
from tests.support.daemons.daemon_process import run_anyon
from tests.support.importing.old_kanban import MOMENT, OldKanban, claude_lines, first_request
from tests.support.paths import ROOT


def furnished(root: Path, age: str) -> OldKanban:
    """One of everything."""
    old = OldKanban(root, age)
    old.project()
    old.task("pay", "inprogress", description="See ![shot](.vibe-images/PICTURE)")
    file = old.image("shot", "pay")
    old.connection.execute(
        "UPDATE tasks SET description = replace(description, 'PICTURE', ?)", (file,)
    )
    old.task("ship", "done", parent="first")
    place = old.worktree("first")
    (place / ("shop/notes.txt" if old.many else "notes.txt")).write_text("not committed\n")
    old.attempt("first", "pay", place)
    old.attempt("second", "pay", root / "gone", executor="GEMINI")
    old.process(
        "setting up",
        "first",
        3,
        {"typ": {"type": "ScriptRequest", "script": "make", "language": "Bash",
                 "context": "SetupScript"}, "next_action": None},
        reason="setupscript",
    )  # fmt: skip
    old.log("setting up", {"Stdout": "made\n"}, {"Stderr": "warned\n"})
    turn = {"session_id": "s-1", "prompt": "Pay it", "summary": "Paid."}
    old.process("working", "first", 4, first_request("Pay it"), turn=turn)
    old.log("working", *claude_lines("I have paid."), {"SessionId": "s-1"}, "Finished")
    old.process("again", "first", 6, first_request("More"), status="running", dropped=0)
    turn = {"session_id": "theirs", "prompt": "Try", "summary": "Tried."}
    old.process("other", "second", 5, first_request("Try", "GEMINI"), turn=turn)
    old.log("other", {"Stdout": '{"Message":{"type":"text","text":"I am "}}\n'})
    old.log("other", {"Stdout": '{"Message":{"type":"text","text":"trying."}}\n'})
    merged = "workspace_id" if old.workspaces else "task_attempt_id"
    old.insert(
        "merges",
        id=old.key("merge"),
        **{merged: old.key("first")},
        merge_type="direct",
        merge_commit="c" * 40,
        target_branch_name="main",
        created_at=MOMENT.format(8),
    )
    if age == "0.0.95":
        old.insert(
            "task_templates",
            id=old.key("tag"),
            template_name="Be Kind",
            description="Always.",
            created_at=MOMENT.format(0),
        )
        old.insert(
            "follow_up_drafts", id=old.key("d"), task_attempt_id=old.key("first"), prompt="And then"
        )
    else:
        old.insert(
            "tags",
            id=old.key("tag"),
            tag_name="be_kind",
            content="Always.",
            created_at=MOMENT.format(0),
        )
    return old


def run(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ("import", "vibe-kanban", *arguments)
    return run_anyon(*command, environment=daemon.environment, cwd=ROOT)


def counts(output: str) -> dict[str, list[int]]:
    """The table: found, new, known of each kind."""
    rows = (line.split() for line in output.splitlines())
    return {row[0]: [int(n) for n in row[1:]] for row in rows if len(row) == 4 and row[1].isdigit()}
