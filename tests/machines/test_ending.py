"""The verdict on how a run went."""

from __future__ import annotations

import pytest

from anyond.agents.common.core import Outcome
from anyond.machines.ending import Ending, judge
from anyond.model.records import Exit
from anyond.model.rows import ProcessStatus, RunReason

AGENT, SCRIPT = RunReason.CODING_AGENT, RunReason.SETUP_SCRIPT


@pytest.mark.parametrize(
    ("reason", "exit", "outcome", "stopped", "status", "code"),
    [
        (AGENT, Exit(code=0), Outcome.COMPLETED, False, ProcessStatus.COMPLETED, 0),
        (AGENT, Exit(signal=15), Outcome.COMPLETED, False, ProcessStatus.COMPLETED, 0),
        (AGENT, Exit(code=0), Outcome.FAILED, False, ProcessStatus.FAILED, 0),
        (AGENT, Exit(code=1), Outcome.FAILED, False, ProcessStatus.FAILED, 1),
        (AGENT, Exit(code=0), None, False, ProcessStatus.FAILED, 0),
        (AGENT, Exit(signal=9), None, False, ProcessStatus.FAILED, 137),
        (AGENT, Exit(code=0), Outcome.INTERRUPTED, True, ProcessStatus.KILLED, 0),
        (AGENT, Exit(error="lost"), Outcome.COMPLETED, False, ProcessStatus.FAILED, None),
        (SCRIPT, Exit(code=0), None, False, ProcessStatus.COMPLETED, 0),
        (SCRIPT, Exit(code=3), None, False, ProcessStatus.FAILED, 3),
        (SCRIPT, Exit(signal=15), None, True, ProcessStatus.KILLED, 143),
    ],
)
def test_the_verdict_needs_all_the_evidence(
    reason: RunReason,
    exit: Exit,
    outcome: Outcome | None,
    stopped: bool,
    status: ProcessStatus,
    code: int | None,
) -> None:
    ending = judge(reason, exit, outcome=outcome, stopped=stopped)
    assert (ending.status, ending.exit_code) == (status, code)


def test_what_the_log_does_not_show_is_said() -> None:
    assert judge(AGENT, Exit(code=2), outcome=None, stopped=False) == Ending(
        ProcessStatus.FAILED, 2, "The agent exited with code 2 before it had finished its turn."
    )
    assert (
        judge(SCRIPT, Exit(signal=9), outcome=None, stopped=False).complaint
        == "The script was ended by SIGKILL."
    )
