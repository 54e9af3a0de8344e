"""What the campaign of kills takes for a fault, and what it tells about one."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

from anyond.model.ids import seconds
from anyond.model.rows import ProcessStatus, RunReason
from anyond.store.engine.database import Store
from anyond.store.engine.transaction import Tx
from anyond.store.runs import processes
from campaigns.chaos import evidence
from campaigns.chaos.__main__ import earlier, figures, note
from campaigns.chaos.chapter import Result
from campaigns.chaos.check_runs import stopped
from campaigns.chaos.ledgers import Desk
from tests.support.store.seeds import (
    add_attempt,
    add_process,
    add_project,
    add_task,
    at,
    end_process,
)

ATTEMPT = "11111111-2222-4333-8444-555555555555"
RUN = "66666666-7777-4888-8999-aaaaaaaaaaaa"


def desk(*stops: tuple[int, int]) -> Desk:
    made = Desk("t", ATTEMPT, "t1x2", Path("/r"), None, claude=True, branches=set())
    made.stops = [(seconds(at(asked)), seconds(at(answered))) for asked, answered in stops]
    return made


def test_a_stop_counts_for_what_was_there_when_it_was_asked() -> None:
    row = {"status": "completed", "created_at": at(10), "completed_at": at(20)}
    assert stopped(desk((15, 16)), row)
    assert stopped(desk((20, 25)), row)
    assert not stopped(desk((5, 9)), row)
    assert not stopped(desk((21, 22)), row)
    assert not stopped(desk(), row)
    assert stopped(desk((15, 16)), row | {"completed_at": None})


def test_a_campaign_goes_on_where_its_progress_ends(tmp_path: Path) -> None:
    chapter = Result(3, Counter({"daemon": 2, "git": 1}), Counter(merge=3), scenes=5)
    chapter.faults, chapter.evidence = {"lost": ["a line"]}, {"a line": ["why"]}
    file = tmp_path / "progress"
    assert earlier(file, 7) == []
    note(file, 7, chapter)
    note(file, 8, Result(0))
    assert earlier(file, 7) == [chapter]
    assert "3 kills (2 daemon, 1 git) at 3 merge; 5 scenes" in figures(7, earlier(file, 7))


async def test_the_evidence_has_state_refs_and_history_of_what_a_fault_names(
    tmp_path: Path,
) -> None:
    def write(tx: Tx) -> None:
        add_project(tx)
        add_task(tx)
        add_attempt(tx, ATTEMPT)
        add_process(tx, RUN, ATTEMPT, RunReason.CODING_AGENT, at(1))
        processes.request_stop(tx, RUN, "stopped by a person", at(2))
        end_process(tx, RUN, ProcessStatus.KILLED, at(3))
        tx.execute("UPDATE tasks SET title = 't48xa1c0b'")

    (tmp_path / "data").mkdir()
    async with Store.open(tmp_path / "data" / "anyon.db") as store:
        await store.write(write)
    noted: dict[str, list[object]] = {
        "requests.jsonl": [
            [
                seconds(at(2)),
                "POST",
                f"/api/task-attempts/{ATTEMPT}/stop",
                None,
                "refused",
                502,
                "",
            ],
            [seconds(at(2)), "POST", "/api/task-attempts/another/stop", None, "unsent", 0, ""],
        ],
        "kills.jsonl": [[seconds(at(2)), "agent", RUN], [seconds(at(2)), "shim", "another"]],
        "agents.jsonl": [
            {"kind": "said", "token": "t48xa1c0b", "execution": RUN, "at": seconds(at(1)), "n": n}
            for n in (1, 2)
        ],
    }
    for name, lines in noted.items():
        # The last line of a ledger may be half written.
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        (tmp_path / name).write_text(text + text[:9])
    (tmp_path / "daemon.log").write_text(
        f"{at(2)} [info     ] attached                       process={RUN}\n"
        f"{at(2)} [info     ] attached                       process=another\n"
        f"{at(2)} [warning  ] not_settled                    attempt=another\n"
    )
    repository = tmp_path / "repository0"
    subprocess.run(["git", "init", "-q", "-b", f"anyon/{ATTEMPT[:8]}", repository], check=True)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@localhost")
    first = ["git", *who, "commit", "-q", "--allow-empty", "-m", "First"]
    subprocess.run(first, cwd=repository, check=True)

    reported = "\n".join(evidence.of(tmp_path, "message t48xa1c0b (create) was never told"))
    for part in (
        f"attempt: id {ATTEMPT}, title t48xa1c0b",
        f"run: id {RUN}, run_reason codingagent, status killed",
        "stop_reason stopped by a person",
        f"repository0: refs/heads/anyon/{ATTEMPT[:8]}",
        f"00:00:02.000 client: POST /api/task-attempts/{ATTEMPT}/stop  refused 502",
        f"00:00:02.000 killed: agent {RUN}",
        f"00:00:02.000 daemon: [info ] attached process={RUN}",
        "daemon: [warning ] not_settled",
        f"row: process_completed {RUN}",
        '"n": 2}',
    ):
        assert part in reported
    for part in ("unsent", "killed: shim", "attached process=another", '"n": 1}'):
        assert part not in reported


def test_evidence_of_a_world_of_which_nothing_is_left_is_no_error(tmp_path: Path) -> None:
    assert evidence.of(tmp_path, "anything") == [
        "the database cannot be read: unable to open database file"
    ]
