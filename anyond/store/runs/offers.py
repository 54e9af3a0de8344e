"""Rows of offers: which modes and models each agent has told of last."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from anyond.model.configuration.settings import Executor
from anyond.model.http.offers import Offers
from anyond.store.engine.transaction import Reader, Tx

MOST = 500
"""So many agents are remembered; the one that has not told anything for the longest time goes."""

_decode = msgspec.json.Decoder(Offers).decode


def put(tx: Tx, executor: Executor, agent: str, offers: Offers, now: str) -> None:
    """Store the present offers of an agent.

    Args:
        agent: which one it is, where the executor alone does not say that; else "".
    """
    tx.execute(
        "INSERT OR REPLACE INTO offers (executor, agent, offers, heard_at) VALUES (?, ?, ?, ?)",
        (executor.value, agent, msgspec.json.encode(offers).decode(), now),
    )
    tx.execute(
        "DELETE FROM offers WHERE (executor, agent) IN (SELECT executor, agent FROM offers"
        " ORDER BY heard_at DESC, executor, agent LIMIT -1 OFFSET ?)",
        (MOST,),
    )


def get(reader: Reader, executor: Executor, agent: str) -> Offers | None:
    """Return its latest offers; None if it never had any."""
    row = reader.execute(
        "SELECT offers FROM offers WHERE executor = ? AND agent = ?", (executor.value, agent)
    ).fetchone()
    return None if row is None else _offers(row[0])


def of_executor(reader: Reader, executor: Executor) -> Mapping[str, Offers]:
    """Return the offers of all agents of an executor, by agent."""
    rows = reader.execute(
        "SELECT agent, offers FROM offers WHERE executor = ?", (executor.value,)
    ).fetchall()
    return {agent: _offers(row) for agent, row in rows}


def _offers(row: str) -> Offers:
    try:
        return _decode(row)
    except msgspec.DecodeError:  # of another version: they are told again soon
        return Offers()
