"""Usage of agents: tokens, money and time, added up."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class UsageBy(StrEnum):
    """The things that usage is added up for; `day` is one of the daemon's time zone."""

    TASK = "task"
    PROJECT = "project"
    AGENT = "agent"
    DAY = "day"


class UsageSum(Struct, frozen=True, kw_only=True):
    """The usage of one task, project, agent or day. What no run told is null, and not 0.

    Args:
        key: an id, the name of an agent, or a day.
        name: for people; of what was deleted, as it was called last.
        runs: how many runs of agents.
        runs_without_tokens: of so many the agent did not tell the tokens.
        runs_without_cost: of so many it did not tell the cost; `cost_usd` is that of the others.
        seconds: how long they ran, together.
    """

    key: str
    name: str
    runs: int
    runs_without_tokens: int
    runs_without_cost: int
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cost_usd: float | None
    seconds: float
