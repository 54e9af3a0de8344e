"""What agents have offered is remembered by agent, the newest of each, within bounds."""

from __future__ import annotations

from anyond.model.configuration.settings import Executor
from anyond.model.http.offers import Choice, Offers
from anyond.store.engine.transaction import Tx
from anyond.store.runs import offers
from tests.support.store.seeds import at

ONE = Offers(modes=(Choice(id="plan", name="Plan"),), models=(Choice(id="m", name="M"),), more=3)
OTHER = Offers(models=(Choice(id="n", name="N", description="new"),))


def test_the_newest_offers_of_each_agent_count(tx: Tx) -> None:
    assert offers.get(tx, Executor.ACP, "kilo") is None
    offers.put(tx, Executor.ACP, "kilo", OTHER, at(0))
    offers.put(tx, Executor.ACP, "kilo", ONE, at(1))
    offers.put(tx, Executor.GEMINI, "", OTHER, at(2))
    assert offers.get(tx, Executor.ACP, "kilo") == ONE
    assert offers.get(tx, Executor.GEMINI, "") == OTHER
    assert offers.of_executor(tx, Executor.ACP) == {"kilo": ONE}


def test_agents_that_were_not_heard_for_long_are_forgotten(tx: Tx) -> None:
    for n in range(offers.MOST + 5):
        offers.put(tx, Executor.ACP, f"a{n}", ONE, at(n))
    left = offers.of_executor(tx, Executor.ACP)
    assert len(left) == offers.MOST
    assert "a4" not in left
    assert "a5" in left


def test_a_row_of_another_version_says_nothing(tx: Tx) -> None:
    tx.execute("INSERT INTO offers VALUES ('ACP', 'kilo', '{\"modes\": 7}', '')")
    assert offers.get(tx, Executor.ACP, "kilo") == Offers()
