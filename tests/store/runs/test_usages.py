"""What runs have used: added up, where nothing that was not told is zero."""

from __future__ import annotations

from anyond.model.entries import TokenUsage
from anyond.model.http.usage import UsageBy
from anyond.model.rows import RunReason
from anyond.store.board import tasks
from anyond.store.engine.transaction import Tx
from anyond.store.runs import summaries, usages
from tests.support.store.seeds import (
    add_attempt,
    add_family,
    add_process,
    add_project,
    add_task,
    at,
    end_process,
)


def run(tx: Tx, id: str, *told: TokenUsage, attempt: str = "a", began: int = 0) -> None:
    add_process(tx, id, attempt, now=at(began))
    end_process(tx, id, now=at(began + 10))
    usages.record(tx, id, told)


def test_what_was_not_told_is_unknown_and_never_zero(tx: Tx) -> None:
    add_family(tx)
    run(tx, "1")
    (unknown,) = usages.fetch_sums(tx, UsageBy.TASK)
    assert (unknown.runs, unknown.runs_without_tokens, unknown.runs_without_cost) == (1, 1, 1)
    assert (unknown.input_tokens, unknown.cost_usd, unknown.seconds) == (None, None, 10.0)
    (summary,) = summaries.fetch_where(tx, "1")
    assert (summary.cost_usd, summary.tokens) == (None, None)
    run(tx, "2", TokenUsage(input_tokens=5, output_tokens=2), began=20)
    run(tx, "3", TokenUsage(input_tokens=7, cache_read_tokens=3, cost_usd=0.25), began=40)
    (known,) = usages.fetch_sums(tx, UsageBy.TASK)
    assert (known.runs, known.runs_without_tokens, known.runs_without_cost) == (3, 1, 2)
    assert (known.input_tokens, known.output_tokens, known.cache_read_tokens) == (12, 2, 3)
    assert (known.cost_usd, known.seconds, known.name) == (0.25, 30.0, "Task t")
    (summary,) = summaries.fetch_where(tx, "1")
    assert (summary.cost_usd, summary.tokens) == (0.25, 14)


def test_it_is_added_up_in_four_ways_and_outlives_the_task(tx: Tx) -> None:
    add_family(tx)
    add_project(tx, "q")
    add_task(tx, "u", "q")
    add_attempt(tx, "b", "u", executor="CODEX")
    run(tx, "1", TokenUsage(cost_usd=1.0), TokenUsage(input_tokens=1, cost_usd=0.5))
    run(tx, "2", TokenUsage(input_tokens=2), attempt="b", began=20)
    for by, keys in {
        UsageBy.TASK: ["u", "t"],
        UsageBy.PROJECT: ["q", "p"],
        UsageBy.AGENT: ["CODEX", "CLAUDE_CODE"],
    }.items():
        assert [one.key for one in usages.fetch_sums(tx, by)] == keys
    (day,) = usages.fetch_sums(tx, UsageBy.DAY)
    assert (day.cost_usd, day.input_tokens) == (1.5, 3)
    assert [one.key for one in usages.fetch_sums(tx, UsageBy.TASK, at(15))] == ["u"]
    assert [one.key for one in usages.fetch_sums(tx, UsageBy.TASK, None, "p")] == ["t"]
    tasks.delete(tx, "u", at(50))
    (gone, _) = usages.fetch_sums(tx, UsageBy.TASK)
    assert (gone.key, gone.name, gone.input_tokens) == ("u", "Task u", 2)


def test_it_is_written_once_and_for_agents_only(tx: Tx) -> None:
    add_family(tx)
    run(tx, "1", TokenUsage(input_tokens=1))
    usages.record(tx, "1", [TokenUsage(input_tokens=100)])
    add_process(tx, "2", reason=RunReason.SETUP_SCRIPT, now=at(20))
    end_process(tx, "2", now=at(21))
    usages.record(tx, "2", [])
    (sum_,) = usages.fetch_sums(tx, UsageBy.AGENT)
    assert (sum_.runs, sum_.input_tokens) == (1, 1)
