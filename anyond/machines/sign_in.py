"""When GitHub may be asked how a sign-in stands, and what its answer means for who waits.

Theory of operation. GitHub gives a code, how long it is good, and how many seconds must lie between
two questions. Whoever asks more often is told to slow down and must wait longer from then on. Here
clients ask, however often and however many they are; so it is here that the pace is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

SLOWER_BY_S = 5.0


class Standing(Enum):
    """How a sign-in stands, in the API's words."""

    SUCCESS = "SUCCESS"
    PENDING = "AUTHORIZATION_PENDING"
    TOO_FAST = "SLOW_DOWN"
    EXPIRED = "expired_token"
    DENIED = "access_denied"


@dataclass
class SignIn:
    """One sign-in. All moments are seconds of one clock.

    Args:
        expires_at: when the code is worthless.
        interval: seconds between two questions.
    """

    expires_at: float
    interval: float
    next_question_at: float = 0.0
    end: Standing | None = None

    def before_asking(self, now: float) -> Standing | None:
        """What is known without asking; None if GitHub is to be asked, which counts as done."""
        if self.end is not None:
            return self.end
        if now >= self.expires_at:
            self.end = Standing.EXPIRED
            return self.end
        if now < self.next_question_at:
            return Standing.TOO_FAST
        self.next_question_at = now + self.interval
        return None

    def heard(self, error: str | None, interval: float | None, now: float) -> Standing:
        """What GitHub's answer means.

        Args:
            error: its name of what is missing; None with a token.
            interval: the new pace, if it names one.
        """
        match error:
            case None:
                self.end = Standing.SUCCESS
            case "expired_token":
                self.end = Standing.EXPIRED
            case "access_denied":
                self.end = Standing.DENIED
            case "slow_down":
                self.interval = max(interval or 0.0, self.interval + SLOWER_BY_S)
                self.next_question_at = now + self.interval
                return Standing.TOO_FAST
            case _:
                return Standing.PENDING
        return self.end
