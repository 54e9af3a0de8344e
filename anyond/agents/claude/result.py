"""The end of a turn of Claude Code: its outcome, and its costs."""

from __future__ import annotations

from anyond.agents.claude.wire import ResultLine, Usage
from anyond.agents.common.carried import NOTHING, Totals
from anyond.agents.common.core import Outcome
from anyond.agents.common.entry import Source
from anyond.model.entries import NormalizedEntry

_DIAGNOSTIC = "[ede_diagnostic]"
_REASONS = {
    "error_max_turns": "The agent stopped: it had reached its limit of turns.",
    "error_max_budget_usd": "The agent stopped: it had reached its budget.",
    "error_during_execution": "The agent failed while it was working.",
}


def turn_outcome(
    line: ResultLine, subtype: str | None, interrupted: bool, complaint: str | None
) -> tuple[Outcome, str | None]:
    """Return the outcome of the turn, and the reason if it failed.

    Success needs all the evidence: an API error also comes with the subtype `success`.

    Args:
        interrupted: the agent has been told to stop.
        complaint: the text of an error message that nothing of the model has followed.
    """
    if interrupted or (line.terminal_reason or "").startswith("aborted"):
        return Outcome.INTERRUPTED, None
    wrong = line.is_error or subtype != "success" or line.api_error_status is not None
    if not wrong and complaint is None:
        return Outcome.COMPLETED, None
    errors = [line.error] if isinstance(line.error, str) else line.errors
    reported = "\n".join(text for text in errors if not text.startswith(_DIAGNOSTIC))
    reason = _REASONS.get(subtype or "")
    own = line.result if wrong else None
    return Outcome.FAILED, own or reported or complaint or reason or "The agent reported an error."


class Accounts(Source):
    """The tokens of the run so far.

    Newer programs go on counting when a session is resumed, older ones begin anew. So what the
    session had used before is taken away only if what is told can be that and more.

    Args:
        before: what the session had used before this run, as the program told it; None if it
            is not known.

    Attributes:
        totals: what the session has used in all, as the program reports it; None if it does not.
    """

    key = "usage"

    def __init__(self, before: Totals | None = None) -> None:
        self._before = before
        self._model: str | None = None
        self._usage = NOTHING
        self.totals: Totals | None = None

    def add(self, line: ResultLine, model: str | None) -> bool:
        """Take in the end of a turn; whether that changed anything."""
        before_line = self._usage
        cost = line.total_cost_usd or 0.0
        turn = _of_turn(line.usage)
        if line.model_usage:
            used = list(line.model_usage.values())
            now = Totals(
                input_tokens=sum(one.input_tokens for one in used),
                output_tokens=sum(one.output_tokens for one in used),
                cache_read_tokens=sum(one.cache_read_input_tokens for one in used),
                cache_write_tokens=sum(one.cache_creation_input_tokens for one in used),
                cost_usd=cost,
            )
            if self.totals is None and self._before is not None:
                goes_on = now.includes(self._before) and now.minus(self._before).includes(turn)
                self._before = self._before if goes_on else None
            self.totals = now
            self._usage = now if self._before is None else now.minus(self._before)
        elif turn.input_tokens or turn.output_tokens:
            tokens_in, out, read, written = (
                a + b for a, b in zip(before_line.counts, turn.counts, strict=True)
            )
            self._usage = Totals(
                input_tokens=tokens_in,
                output_tokens=out,
                cache_read_tokens=read,
                cache_write_tokens=written,
                cost_usd=cost or before_line.cost_usd,
            )
        self._model = model
        return self._usage not in (before_line, NOTHING)

    def entry(self) -> NormalizedEntry:
        return self._usage.entry(self._model)


def _of_turn(used: Usage | None) -> Totals:
    if used is None:
        return NOTHING
    return Totals(
        input_tokens=used.input_tokens or 0,
        output_tokens=used.output_tokens or 0,
        cache_read_tokens=used.cache_read_input_tokens or 0,
        cache_write_tokens=used.cache_creation_input_tokens or 0,
    )
