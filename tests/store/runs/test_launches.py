"""Rows of launches: which processes a launch has become."""

from __future__ import annotations

from anyond.model.records import LaunchedProcesses
from anyond.store.engine.transaction import Tx
from anyond.store.runs import launches
from tests.support.store.seeds import add_family, add_process, at


def test_what_was_seen_first_of_a_shim_is_what_its_launch_has_become(tx: Tx) -> None:
    add_family(tx)
    add_process(tx)
    first = LaunchedProcesses(boot_id="b", shim=(7, "70"), program=(8, "71"))
    launches.record(tx, "x", "key", at(0))
    assert launches.processes(tx, "x") is None
    assert launches.identify(tx, "x", first) == first
    later = LaunchedProcesses(boot_id="b", shim=(7, "70"), program=(9, "99"))
    assert launches.identify(tx, "x", later) == first
    other = LaunchedProcesses(boot_id="c", shim=(7, "70"), program=None)
    assert launches.identify(tx, "x", other) == other
    assert launches.processes(tx, "x") == other
    launches.record(tx, "x", "new key", at(1))
    assert launches.processes(tx, "x") is None
