"""The pace of a sign-in, without a clock."""

from __future__ import annotations

import pytest

from anyond.machines.sign_in import (
    AskGitHub,
    GitHubAnswered,
    Polled,
    Report,
    SignInMachine,
    Standing,
)


def test_github_is_asked_at_most_once_per_interval() -> None:
    flow = SignInMachine(expires_at=900, interval=5)
    assert flow.handle(Polled(0)) == [AskGitHub()]
    assert flow.handle(GitHubAnswered("authorization_pending", None, 0)) == [
        Report(Standing.PENDING)
    ]
    assert flow.handle(Polled(4.9)) == [Report(Standing.TOO_FAST)]
    assert flow.handle(Polled(5)) == [AskGitHub()]
    assert flow.handle(Polled(5)) == [Report(Standing.TOO_FAST)]


def test_who_is_told_to_slow_down_waits_longer_from_then_on() -> None:
    flow = SignInMachine(expires_at=900, interval=5)
    assert flow.handle(Polled(0)) == [AskGitHub()]
    assert flow.handle(GitHubAnswered("slow_down", None, 1)) == [Report(Standing.TOO_FAST)]
    assert flow.handle(Polled(10.9)) == [Report(Standing.TOO_FAST)]
    assert flow.handle(Polled(11)) == [AskGitHub()]
    assert flow.handle(GitHubAnswered("slow_down", 30, 11)) == [Report(Standing.TOO_FAST)]
    assert flow.handle(Polled(40.9)) == [Report(Standing.TOO_FAST)]
    assert flow.handle(Polled(41)) == [AskGitHub()]


def test_success_stays_success_for_who_missed_the_answer() -> None:
    flow = SignInMachine(expires_at=900, interval=5)
    assert flow.handle(Polled(0)) == [AskGitHub()]
    assert flow.handle(GitHubAnswered(None, None, 0)) == [Report(Standing.SUCCESS)]
    assert flow.handle(Polled(1)) == [Report(Standing.SUCCESS)]
    assert flow.handle(Polled(1000)) == [Report(Standing.SUCCESS)]


@pytest.mark.parametrize("end", [Standing.EXPIRED, Standing.DENIED])
def test_an_end_is_the_end(end: Standing) -> None:
    flow = SignInMachine(expires_at=900, interval=5)
    assert flow.handle(Polled(0)) == [AskGitHub()]
    assert flow.handle(GitHubAnswered(end.value, None, 0)) == [Report(end)]
    assert flow.handle(Polled(100)) == [Report(end)]


def test_an_expired_code_is_not_asked_about() -> None:
    assert SignInMachine(expires_at=900, interval=5).handle(Polled(900)) == [
        Report(Standing.EXPIRED)
    ]
