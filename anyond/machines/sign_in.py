"""Polling GitHub for the state of a sign-in, and the answers to those who wait.

Theory of operation. GitHub gives a code, how long it is good, and how many seconds must lie between
two questions. Whoever asks more often is told to slow down and must wait longer from then on. Here
clients ask, however often and however many they are; so it is here that the pace is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from msgspec import Struct

from anyond.machines.table import Condition, Row, Table, TableMachine, condition, gives

SLOWER_BY_S = 5.0


class Standing(Enum):
    """The status of a sign-in, in the API's words."""

    SUCCESS = "SUCCESS"
    PENDING = "AUTHORIZATION_PENDING"
    TOO_FAST = "SLOW_DOWN"
    EXPIRED = "expired_token"
    DENIED = "access_denied"


# ---------------------------------------------------------------- events


class Polled(Struct, frozen=True):
    """A client wants to know how it stands. All moments are seconds of one clock."""

    now: float


class GitHubAnswered(Struct, frozen=True):
    """GitHub was asked, and has answered.

    Args:
        error: its name of what is missing; None with a token.
        interval: the new pace, if it names one.
    """

    error: str | None
    interval: float | None
    now: float


Event = Polled | GitHubAnswered

# ---------------------------------------------------------------- commands


class AskGitHub(Struct, frozen=True):
    """Ask, and report `GitHubAnswered`."""


class Report(Struct, frozen=True):
    """The answer for the client that has asked."""

    standing: Standing


Command = AskGitHub | Report

# ---------------------------------------------------------------- the table


class State(Enum):
    """The knowledge of how a sign-in has ended."""

    PENDING = auto()
    SUCCESS = auto()
    EXPIRED = auto()
    DENIED = auto()


class _Data(Struct):
    expires_at: float
    interval: float
    next_question_at: float = 0.0


@condition
def the_code_has_expired(data: _Data, event: Polled) -> bool:
    return event.now >= data.expires_at


@condition
def it_was_asked_just_now(data: _Data, event: Polled) -> bool:
    return event.now < data.next_question_at


def _error_is(error: str | None) -> Condition[_Data, GitHubAnswered]:
    def error_is(data: _Data, event: GitHubAnswered) -> bool:
        return event.error == error

    error_is.__name__ = f"error_is_{error}" if error else "there_is_a_token"
    return Condition(error_is)


@gives(AskGitHub)
def ask_github(data: _Data, event: Polled) -> Sequence[AskGitHub]:
    data.next_question_at = event.now + data.interval
    return [AskGitHub()]


@gives(Report)
def slow_down(data: _Data, event: GitHubAnswered) -> Sequence[Report]:
    data.interval = max(event.interval or 0.0, data.interval + SLOWER_BY_S)
    data.next_question_at = event.now + data.interval
    return [Report(Standing.TOO_FAST)]


@gives(Report)
def report_success(data: _Data, event: Event) -> Sequence[Report]:
    return [Report(Standing.SUCCESS)]


@gives(Report)
def report_pending(data: _Data, event: Event) -> Sequence[Report]:
    return [Report(Standing.PENDING)]


@gives(Report)
def report_too_fast(data: _Data, event: Event) -> Sequence[Report]:
    return [Report(Standing.TOO_FAST)]


@gives(Report)
def report_expired(data: _Data, event: Event) -> Sequence[Report]:
    return [Report(Standing.EXPIRED)]


@gives(Report)
def report_denied(data: _Data, event: Event) -> Sequence[Report]:
    return [Report(Standing.DENIED)]


_WAITS = (State.PENDING,)

TABLE = Table(
    "sign-in",
    State.PENDING,
    [
        Row(_WAITS, Polled, State.EXPIRED, the_code_has_expired, (report_expired,)),
        Row(_WAITS, Polled, None, it_was_asked_just_now, (report_too_fast,)),
        Row(_WAITS, Polled, None, None, (ask_github,)),
        Row(_WAITS, GitHubAnswered, State.SUCCESS, _error_is(None), (report_success,)),
        Row(_WAITS, GitHubAnswered, State.EXPIRED, _error_is("expired_token"), (report_expired,)),
        Row(_WAITS, GitHubAnswered, State.DENIED, _error_is("access_denied"), (report_denied,)),
        Row(_WAITS, GitHubAnswered, None, _error_is("slow_down"), (slow_down,)),
        Row(_WAITS, GitHubAnswered, None, None, (report_pending,)),
        Row((State.SUCCESS,), Polled, None, None, (report_success,)),
        Row((State.EXPIRED,), Polled, None, None, (report_expired,)),
        Row((State.DENIED,), Polled, None, None, (report_denied,)),
    ],
)


class SignInMachine(TableMachine[State, _Data, Event, Command]):
    """Knows how one sign-in stands.

    Args:
        expires_at: when the code is worthless.
        interval: seconds between two questions.
    """

    def __init__(self, expires_at: float, interval: float) -> None:
        super().__init__(TABLE, _Data(expires_at, interval))
