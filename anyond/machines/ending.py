"""The outcome of an execution, decided from all the evidence."""

from __future__ import annotations

import signal

from msgspec import Struct

from anyond.agents.common.core import Outcome
from anyond.model.records import Exit
from anyond.model.rows import ProcessStatus, RunReason


class Ending(Struct, frozen=True):
    """The facts that are written down when an execution is over."""

    status: ProcessStatus
    exit_code: int | None
    complaint: str | None = None


def judge(
    reason: RunReason,
    exit: Exit,
    *,
    outcome: Outcome | None,
    stopped: bool,
) -> Ending:
    """Decide from all the evidence how an execution went.

    Args:
        outcome: how the agent's turn ended, if it did.
        stopped: whether somebody asked for it to be stopped.

    Returns:
        The status; the true exit code (128 + n for signal n, as shells do; 0 for an agent that
        finished its turn and then had to be sent away by a signal); and one sentence for the log
        if something went wrong that the log does not show by itself.
    """
    code = exit.code if exit.signal is None else 128 + exit.signal
    if exit.error is not None:
        return Ending(ProcessStatus.KILLED if stopped else ProcessStatus.FAILED, code, exit.error)
    if stopped:
        return Ending(ProcessStatus.KILLED, code)
    how = (
        f"was ended by {_signal_name(exit.signal)}"
        if exit.signal is not None
        else f"exited with code {code}"
    )
    if reason is not RunReason.CODING_AGENT:
        if code == 0:
            return Ending(ProcessStatus.COMPLETED, 0)
        return Ending(ProcessStatus.FAILED, code, f"The script {how}.")
    match outcome:
        case Outcome.COMPLETED:
            return Ending(ProcessStatus.COMPLETED, code if exit.signal is None else 0)
        case Outcome.FAILED:
            return Ending(ProcessStatus.FAILED, code)
        case Outcome.INTERRUPTED:
            return Ending(ProcessStatus.FAILED, code, "The agent broke off its work.")
        case None:
            return Ending(
                ProcessStatus.FAILED, code, f"The agent {how} before it had finished its turn."
            )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
