"""The pace of a sign-in, without a clock."""

from __future__ import annotations

import pytest

from anyond.machines.sign_in import SignIn, Standing


def test_github_is_asked_at_most_once_per_interval() -> None:
    flow = SignIn(expires_at=900, interval=5)
    assert flow.before_asking(0) is None
    assert flow.heard("authorization_pending", None, 0) is Standing.PENDING
    assert flow.before_asking(4.9) is Standing.TOO_FAST
    assert flow.before_asking(5) is None
    assert flow.before_asking(5) is Standing.TOO_FAST


def test_who_is_told_to_slow_down_waits_longer_from_then_on() -> None:
    flow = SignIn(expires_at=900, interval=5)
    assert flow.before_asking(0) is None
    assert flow.heard("slow_down", None, 1) is Standing.TOO_FAST
    assert flow.before_asking(10.9) is Standing.TOO_FAST
    assert flow.before_asking(11) is None
    assert flow.heard("slow_down", 30, 11) is Standing.TOO_FAST
    assert flow.before_asking(40.9) is Standing.TOO_FAST
    assert flow.before_asking(41) is None


def test_success_stays_success_for_who_missed_the_answer() -> None:
    flow = SignIn(expires_at=900, interval=5)
    assert flow.before_asking(0) is None
    assert flow.heard(None, None, 0) is Standing.SUCCESS
    assert flow.before_asking(1) is Standing.SUCCESS
    assert flow.before_asking(1000) is Standing.SUCCESS


@pytest.mark.parametrize("end", [Standing.EXPIRED, Standing.DENIED])
def test_an_end_is_the_end(end: Standing) -> None:
    flow = SignIn(expires_at=900, interval=5)
    assert flow.before_asking(0) is None
    assert flow.heard(end.value, None, 0) is end
    assert flow.before_asking(100) is end


def test_an_expired_code_is_not_asked_about() -> None:
    assert SignIn(expires_at=900, interval=5).before_asking(900) is Standing.EXPIRED
