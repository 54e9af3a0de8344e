"""Measuring any daemon that speaks the API of vibe-kanban 0.0.116, row by row."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.busy import Watch
from benchmarks.figures import Figure, table
from benchmarks.lab import Lab
from benchmarks.peers import agent, board_rows, git_rows, log_rows, restart_rows
from benchmarks.peers.peer import Options, Peer
from benchmarks.peers.run import Run

ROWS: dict[str, Callable[[Run], None]] = {
    "git": git_rows.measure,
    "log": log_rows.measure,
    "board": board_rows.measure,
    "restart": restart_rows.measure,
}


def main() -> int:
    """Measure, and print one table. 1 if a row could not be measured."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the lab is cleared even then
    failed = False
    with Lab.open() as lab:
        peer = Peer(
            Options(options.url, options.start_command, options.pid, options.data_directory)
        )
        place = lab.path("agents")
        sizes = (options.files, options.lines, options.tasks, options.rounds)
        run = Run(lab, peer, place, *sizes)
        try:
            before = peer.use_agent(agent.write(place))
            try:
                run.memory("at first")
                for name in options.rows or ROWS:
                    failed |= not _measured(name, run)
            finally:
                peer.put_profiles(before)
        finally:
            peer.close()
    print(table(run.figures))
    return 1 if failed else 0


def _measured(name: str, run: Run) -> bool:
    """A row that a peer cannot do leaves the others alone."""
    began, watch = time.monotonic(), Watch(run.lab.root)
    try:
        ROWS[name](run)
    # Whatever another program answers must not hide what was measured of it before.
    except Exception as error:  # a row that a peer cannot do costs only itself
        run.add(Figure(name, f"not measured: {error!r}"))
        return False
    finally:
        load = watch.load()
        print(
            f"{name}: {time.monotonic() - began:.0f} s; others, the peer among them if it was not"
            f" started here, took {load.others:.0%} of the processors, the host {load.stolen:.0%}",
            file=sys.stderr,
            flush=True,
        )
    return True


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-peers ARGS=...", description=__doc__)
    add = parser.add_argument
    add("--url", required=True, help="where it answers: http://127.0.0.1:8097")
    add("--start-command", default="", help="starts it at that URL; needed for the restart")
    add("--pid", type=int, help="its process; if there is none, the start command is run")
    add("--data-directory", type=Path, help="where it keeps its files, to tell their size")
    add("--rows", nargs="*", choices=ROWS, help="some of them")
    add("--files", type=int, default=20_000, help="of the large repository")
    add("--lines", type=int, default=1_000_000, help="of the talkative program")
    add("--tasks", type=int, default=10_000, help="of the long list")
    add("--rounds", type=int, default=5, help="pairs of each row")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
