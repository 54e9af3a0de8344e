"""Checking that the daemon shows what agents and scripts wrote down: words, answers, messages."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from datetime import datetime
from typing import Any

from campaigns.chaos.ledgers import Desk, Prompt
from campaigns.chaos.world import World

_LINE = re.compile(r"<(t\w+):(\d+)>")


async def check(world: World) -> None:
    """Compare both; nothing may be at work but dev servers."""
    world.agents.read()
    _check_scripts(world)
    for execution, times in world.agents.begun.items():
        if times > 1 and execution:
            world.faults.doubled.append(f"the program of {execution} was started {times} times")
    approvals = {row["id"]: row for row in await world.look("/api/approvals")}
    for desk in world.desks:
        if desk.gone != "no":
            continue
        path = f"/api/execution-processes?task_attempt_id={desk.id}&show_soft_deleted=true"
        rows = list(reversed(await world.look(path)))
        for row in rows:
            _check_end(world, desk, row)
            await _check_words(world, row)
        draft = await world.look(f"/api/task-attempts/{desk.id}/draft?type=follow_up") or {}
        if draft.get("queued"):
            world.faults.half_done.append(f"the draft of {desk.title} is queued, and nothing runs")
        for prompt in desk.prompts:
            _check_prompt(world, desk, prompt, rows, draft)
        _check_answers(world, desk, rows, approvals)


def _check_scripts(world: World) -> None:
    """No script runs twice in one execution."""
    if not world.scripts.exists():
        return
    began = Counter(line.rsplit(" ", 1)[0] for line in world.scripts.read_text().splitlines())
    for line, times in began.items():
        if times > 1:
            world.faults.doubled.append(f"script {line} ran {times} times")


def _check_end(world: World, desk: Desk, row: dict[str, Any]) -> None:
    """A run fails only if somebody has killed something of it."""
    name = f"{row['run_reason']} {row['id']} of {desk.title}"
    if row["status"] == "running":
        if row["run_reason"] != "devserver":
            world.faults.half_done.append(f"{name} runs, and nobody does anything")
        return
    if row["status"] == "failed" and not excused(world, row):
        world.faults.lost.append(f"{name} failed, and nobody has killed anything of it")
    if row["status"] == "killed" and not stopped(desk, row) and row["run_reason"] != "devserver":
        world.faults.lost.append(f"{name} was stopped, and nobody wanted that")


def excused(world: World, row: dict[str, Any]) -> bool:
    """Return whether its shim or program was killed, or a git while it was there."""
    if world.killed(row["id"]):
        return True
    began, ended = _life(row)
    return any(k.what == "git" and began - 1 <= k.at <= ended + 1 for k in world.kills)


def stopped(desk: Desk, row: dict[str, Any]) -> bool:
    """Return whether a client asked for a stop while it was there.

    Then nothing follows it, also if it had just completed before the stop could reach it.
    """
    began, ended = _life(row)
    return any(asked <= ended + 0.1 and began - 0.1 <= until for asked, until in desk.stops)


def _life(row: dict[str, Any]) -> tuple[float, float]:
    """From when to when a run was there, in Unix seconds; one that is at work has no end yet."""
    began, ended = row["created_at"], row["completed_at"]
    return _seconds(began), math.inf if ended is None else _seconds(ended)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def _check_words(world: World, row: dict[str, Any]) -> None:
    """Each line that was said is in the log once, and once in the conversation."""
    if row["run_reason"] != "codingagent":
        return
    written = {
        t: n for (execution, t), n in world.agents.lines_written.items() if execution == row["id"]
    }
    raw = "".join(
        frame["value"]["content"]
        for frame in await world.frames(f"/api/execution-processes/{row['id']}/raw-logs/ws")
    )
    entries: dict[int, dict[str, Any]] = {}
    for frame in await world.frames(f"/api/execution-processes/{row['id']}/normalized-logs/ws"):
        entries[frame["index"]] = frame
    displayed = "".join(
        entry["content"]
        for entry in entries.values()
        if entry["entry_type"]["type"] == "assistant_message"
    )
    for place, text in (("log", raw), ("conversation", displayed)):
        counted = Counter((t, int(n)) for t, n in _LINE.findall(text))
        for (token, number), times in counted.items():
            if times > 1:
                what = f"line {token}:{number} is {times} times in the {place} of {row['id']}"
                world.faults.doubled.append(what)
        for token, most in written.items():
            have = {n for t, n in counted if t == token}
            # With its shim killed, what the agent said last was heard by nobody; no gap before it.
            until = max(have, default=0) if world.shim_killed(row["id"]) else most
            if missing := set(range(1, until + 1)) - have:
                what = f"lines {token}:{sorted(missing)} are not in the {place} of {row['id']}"
                world.faults.lost.append(what)


def _check_prompt(
    world: World, desk: Desk, prompt: Prompt, rows: list[dict[str, Any]], draft: dict[str, Any]
) -> None:
    name = f"message {prompt.token} ({prompt.manner}) of {desk.title}"
    received = world.agents.received.get(prompt.token, [])
    # One that was killed before it had taken up what it was told may be told again, by the next.
    sure = [e for e in received if not world.killed(e) or e in world.agents.taken[prompt.token]]
    if len(received) > 1 and (len(sure) > 1 or prompt.manner != "steer"):
        world.faults.doubled.append(f"{name} was told {len(received)} times: {received}")
    if received or prompt.outcome in {"refused", "unsent"}:
        if received and prompt.outcome == "refused" and prompt.manner not in {"create", "queue"}:
            world.faults.doubled.append(f"{name} was refused, and told")
        return
    if prompt.token in draft.get("prompt", ""):
        return
    mine = [row for row in rows if prompt.token in json.dumps(row["executor_action"])]
    if not mine and prompt.outcome == "unknown":
        return
    if not mine and prompt.manner in {"steer", "queue"}:
        # It goes with the run that it was said into; after a stop it may be replaced.
        mine = [row for row in rows if row["run_reason"] != "devserver"]
    if any(excused(world, row) or stopped(desk, row) for row in mine):
        if prompt.manner == "create" and all(r["run_reason"] == "setupscript" for r in mine):
            _check_recap(world, desk, prompt, name)
        return
    world.faults.lost.append(f"{name} was acknowledged, and never told")


def _check_recap(world: World, desk: Desk, prompt: Prompt, name: str) -> None:
    """An agent that was not asked for its task is told it with what it is asked first."""
    agents = world.agents
    asked = any(agents.received.get(p.token) for p in desk.prompts)
    if asked and prompt.token not in agents.recapped:
        world.faults.lost.append(f"{name} was acknowledged, and not told with what came after it")


def _check_answers(
    world: World, desk: Desk, rows: list[dict[str, Any]], approvals: dict[str, Any]
) -> None:
    over = {row["id"] for row in rows if row["status"] != "running"}
    for id, given in desk.answers.items():
        row = approvals.get(id)
        if row is None:
            world.faults.lost.append(f"question {id} of {desk.title} is gone")
            continue
        if row["status"] == "pending" and row["execution_process_id"] in over:
            world.faults.half_done.append(f"question {id} is open, and its run is over")
        for approve, outcome in given:
            if outcome == "acknowledged" and row["status"] != ("approved" if approve else "denied"):
                world.faults.lost.append(f"answer {approve} to {id} became {row['status']}")
        call = row["tool_input"].get("call") if isinstance(row["tool_input"], dict) else None
        decisions = world.agents.decisions.get(call, []) if call else []
        if len(decisions) > 1:
            world.faults.doubled.append(f"the answer to {id} was heard {len(decisions)} times")
        if decisions and decisions[0] != (row["status"] == "approved"):
            world.faults.lost.append(f"the agent heard {decisions[0]} for {id}: {row['status']}")
