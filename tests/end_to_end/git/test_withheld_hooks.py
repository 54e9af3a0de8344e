"""An agent that writes hooks: the daemon's git does not run them, and everybody is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.daemon import Daemon, Refused
from tests.support.worked_attempt import worked_attempt


async def test_a_hook_that_a_run_has_written_runs_when_a_person_has_accepted_it(
    daemon: Daemon, tmp_path: Path
) -> None:
    mark, script = tmp_path / "hook-was-run", tmp_path / "evil.sh"
    hook = "$(git rev-parse --git-common-dir)/hooks/pre-commit"
    script.write_text(
        f'mkdir -p "$(dirname "{hook}")"; echo more >> more.txt\n'
        f'printf \'#!/bin/sh\\ntouch {mark}\\n\' > "{hook}"; chmod +x "{hook}"\n'
    )
    at = await worked_attempt(daemon, cleanup_script=f"sh {script}")
    cleanup = (await daemon.processes(at.attempt))[-1]
    programs = f"/api/projects/{(await daemon.ask('GET', '/api/projects'))[0]['id']}/git-programs"

    assert not mark.exists()
    assert at.git("show", "HEAD:more.txt") == "more"
    assert cleanup["run_reason"] == "cleanupscript"
    output = str(await daemon.entries(cleanup))
    assert "hooks/pre-commit" in output
    assert "git-programs/accept" in output
    assert (await at.row())["git_programs_withheld"]
    state = await daemon.ask("GET", programs)
    assert state["withheld"]
    assert state["task_attempt_id"] == at.attempt["id"]
    assert [one["name"] for one in state["changes"]] == ["hook hooks/pre-commit"]

    await daemon.kill()
    await daemon.start()
    assert await daemon.ask("GET", programs) == state
    with pytest.raises(Refused) as refusal:
        await daemon.ask("POST", f"{programs}/accept", {"digest": "0" * 64})
    assert (refusal.value.status, refusal.value.type) == (409, "git_programs_changed")
    await daemon.ask("POST", f"{programs}/accept", {"digest": state["digest"]})
    assert not (await at.row())["git_programs_withheld"]
    await at.press("follow-up", {"prompt": "write last.txt last"})
    await daemon.over(at.attempt)
    assert mark.exists()
