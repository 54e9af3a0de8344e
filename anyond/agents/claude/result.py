"""What the end of a turn of Claude Code amounts to: how it went, and what it cost."""

from __future__ import annotations

from anyond.agents.claude.wire import ResultLine
from anyond.agents.core import Outcome
from anyond.agents.entry import Source
from anyond.model.entries import NormalizedEntry, TokenUsage

_DIAGNOSTIC = "[ede_diagnostic]"
_REASONS = {
    "error_max_turns": "The agent stopped: it had reached its limit of turns.",
    "error_max_budget_usd": "The agent stopped: it had reached its budget.",
    "error_during_execution": "The agent failed while it was working.",
}


def verdict(
    line: ResultLine, subtype: str | None, interrupted: bool, complaint: str | None
) -> tuple[Outcome, str | None]:
    """How the turn went, and why if it failed.

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
    told = "\n".join(text for text in errors if not text.startswith(_DIAGNOSTIC))
    reason = _REASONS.get(subtype or "")
    own = line.result if wrong else None
    return Outcome.FAILED, own or told or complaint or reason or "The agent reported an error."


class Accounts(Source):
    """The tokens of the run so far."""

    key = "usage"

    def __init__(self) -> None:
        self._usage = TokenUsage()

    def add(self, line: ResultLine, model: str | None) -> bool:
        """Take in the end of a turn; whether that changed anything."""
        before = self._usage
        cost = line.total_cost_usd or before.cost_usd
        if line.model_usage:  # of the whole process
            used = list(line.model_usage.values())
            self._usage = TokenUsage(
                model=model,
                input_tokens=sum(one.input_tokens for one in used),
                output_tokens=sum(one.output_tokens for one in used),
                cache_read_tokens=sum(one.cache_read_input_tokens for one in used),
                cache_write_tokens=sum(one.cache_creation_input_tokens for one in used),
                cost_usd=cost,
            )
        elif (turn := line.usage) is not None and (turn.input_tokens or turn.output_tokens):
            self._usage = TokenUsage(
                model=model,
                input_tokens=before.input_tokens + (turn.input_tokens or 0),
                output_tokens=before.output_tokens + (turn.output_tokens or 0),
                cache_read_tokens=before.cache_read_tokens + (turn.cache_read_input_tokens or 0),
                cache_write_tokens=before.cache_write_tokens
                + (turn.cache_creation_input_tokens or 0),
                cost_usd=cost,
            )
        return self._usage != before

    def entry(self) -> NormalizedEntry:
        usage = self._usage
        cost = f", ${usage.cost_usd:.4f}" if usage.cost_usd else ""
        content = f"{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out{cost}"
        return NormalizedEntry(entry_type=usage, content=content)
