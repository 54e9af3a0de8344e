"""A client that makes attempts and does to them all that can be done, one thing after another."""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random
from typing import Any

import trio

from campaigns.chaos import person
from campaigns.chaos.ledgers import Desk, Prompt
from campaigns.chaos.world import Answer, World

SCENES = 9
"""How much is done to one attempt, at most."""


class Lane:
    """Drives one attempt at a time, and leaves it for the checks when it has done enough to it."""

    def __init__(self, world: World, dice: Random) -> None:
        self._world = world
        self._dice = dice
        self._desk: Desk | None = None
        self._left = 0
        self._done: set[str] = set()
        self.scenes = 0
        self.settled = False

    async def run(self) -> None:
        """Until cancelled; while the world is settling, attempts are only brought to rest."""
        while True:
            if self._world.settling:
                if self._desk is not None and not self.settled:
                    await self.rest(self._desk)
                self.settled = True
                self._world.notify()
                await trio.sleep(0.05)
                continue
            self.settled = False
            self.scenes += 1
            if self._desk is None or self._left <= 0 or self._desk.gone != "no":
                self._desk, self._left = None, self._dice.randint(2, SCENES)
                await self.create()
            else:
                self._left -= 1
                await self.something(self._desk)

    async def something(self, desk: Desk) -> None:
        """One scene of an attempt at which nothing is at work."""
        scenes = {
            self.follow_up: 4,
            self.merge: 3,
            self.rebase: 3,
            self.retry: 2,
            self.rename: 1,
            self.delete_file: 1,
            self.dev_server: 1,
            self.push: 1,
            self.delete_task: 1,
        }
        scene = self._dice.choices(list(scenes), list(scenes.values()))[0]
        await scene(desk)

    # ------------------------------------------------------------ words

    def prompt(self, desk: Desk | None, manner: str) -> tuple[Prompt, str]:
        """A new message, with what it wants to be done."""
        dice, token = self._dice, self._world.token()
        steps: list[list[Any]] = [["say", dice.randint(1, 12), dice.random() * 0.3]]
        if manner != "steer":
            steps.append(["write", f"work/{token}.txt"])
            if dice.random() < 0.3:
                steps.append(["write", "shared.txt"])
            if dice.random() < 0.25:
                steps.append(["commit"])
            if dice.random() < 0.3:
                steps.append(["ask"])
            steps.append(["say", dice.randint(1, 6), dice.random() * 0.4])
            steps.append(["write", f"work/{token}-more.txt"])
            if dice.random() < 0.3:
                steps.append(["sleep", dice.random() * 0.8])
        text = f"chaos {json.dumps({'token': token, 'steps': steps})}"
        prompt = Prompt(token, manner)
        if desk is not None:
            desk.prompts.append(prompt)
        return prompt, text

    async def act(self, kind: str, desk: Desk | None, path: str, body: object = None) -> Answer:
        """Something that those who kill may aim at."""
        began = trio.current_time()
        self._world.aim.begin(kind)
        place = path if desk is None else f"/api/task-attempts/{desk.id}/{path}"
        answer = await self._world.ask("POST", place, body)
        if answer.outcome == "acknowledged":
            self._world.aim.learn(kind, trio.current_time() - began)
            self._world.aim.tried[kind] += 1
        return answer

    # ------------------------------------------------------------ an attempt begins

    async def create(self) -> None:
        world, dice = self._world, self._dice
        project, claude = dice.choice(world.projects), dice.random() < 0.5
        prompt, text = self.prompt(None, "create")
        body = {
            "task": {"project_id": project["id"], "title": prompt.token, "description": text},
            "executor_profile_id": {"executor": "CLAUDE_CODE" if claude else "ACP"},
            "base_branch": dice.choice(["main", "develop"]),
        }
        answer = await self.act("create", None, "/api/tasks/create-and-start", body)
        prompt.outcome = answer.outcome
        tasks = await world.look(f"/api/tasks?project_id={project['id']}")
        found = [task for task in tasks if task["title"] == prompt.token]
        if len(found) > 1:
            world.faults.doubled.append(f"task {prompt.token} was made {len(found)} times")
        if not found:
            if answer.outcome == "acknowledged":
                world.faults.lost.append(f"task {prompt.token} was acknowledged")
            return
        attempts = await world.look(f"/api/task-attempts?task_id={found[0]['id']}")
        if not attempts:
            world.faults.half_done.append(f"task {prompt.token} has no attempt")
            return
        row = attempts[0]
        desk = Desk(
            task_id=found[0]["id"],
            id=row["id"],
            title=prompt.token,
            repository=Path(project["git_repo_path"]),
            worktree=None,
            claude=claude,
            branches={row["branch"]},
            prompts=[prompt],
        )
        world.desks.append(desk)
        self._desk = desk
        await self.meanwhile(desk)

    # ------------------------------------------------------------ an agent is at work

    async def meanwhile(self, desk: Desk) -> None:
        """Perhaps something that is done beside a run; then its end."""
        word = self._dice.random()
        if word < 0.25:
            await self.queue(desk)
        elif word < 0.5 and desk.claude:
            await self.steer(desk)
        elif word < 0.58:
            await trio.sleep(self._dice.random() * 0.5)
            await self.stop(desk)
        elif word < 0.66:
            await self.dev_server(desk)
        await self.rest(desk)

    async def stop(self, desk: Desk) -> None:
        asked = time.time()
        await self.act("stop", desk, "stop")
        desk.stops.append((asked, time.time()))

    async def rest(self, desk: Desk) -> None:
        """Answer what is asked, until nothing runs in the attempt any more."""
        world = self._world

        def look() -> str | None:
            world.agents.read()
            if self.question(desk) is not None:
                return "question"
            running = world.running(desk.id)
            if running is None:
                return "over" if self._at_rest(desk) else None
            tokens = {prompt.token for prompt in desk.prompts}
            new = (tokens & world.agents.done) - self._done
            if new:
                self._done |= new
                return "done"
            return None

        while True:
            found = await world.until(look, f"the end of what runs in {desk.title}")
            if found == "question":
                await self.answer(desk)
            elif found == "done":
                world.aim.begin("conclude")
            else:
                row = await world.look(f"/api/task-attempts/{desk.id}") or {}
                desk.worktree = Path(row["container_ref"]) if row.get("container_ref") else None
                return

    def _at_rest(self, desk: Desk) -> bool:
        task = self._world.records.get(desk.task_id)
        return task is None or task["status"] != "inprogress" or desk.gone != "no"

    def question(self, desk: Desk) -> dict[str, Any] | None:
        for record in self._world.records.values():
            if record.get("task_attempt_id") == desk.id and record.get("status") == "pending":
                given = desk.answers.get(record["id"], [])
                if not any(outcome in {"acknowledged", "refused"} for _, outcome in given):
                    return record
        return None

    async def answer(self, desk: Desk) -> None:
        question = self.question(desk)
        assert question is not None
        approve = self._dice.random() < 0.6
        request = {"status": "approved"} if approve else {"status": "denied", "reason": "no"}
        path = f"/api/approvals/{question['id']}/respond"
        answer = await self.act("answer", None, path, {"status": request})
        desk.answers.setdefault(question["id"], []).append((approve, answer.outcome))

    async def queue(self, desk: Desk) -> None:
        prompt, text = self.prompt(desk, "queue")
        path = f"/api/task-attempts/{desk.id}/draft"
        saved = await self._world.ask("PUT", path, {"prompt": text})
        if saved.outcome != "acknowledged":
            # If it was saved nobody may have sent it; nothing more is known of it.
            prompt.outcome = saved.outcome
            return
        queued = await self.act("queue", desk, "draft/queue", {"queued": True})
        # One that is not queued for certain may be replaced by whatever is said next.
        prompt.outcome = queued.outcome if queued.outcome == "acknowledged" else "unknown"

    async def steer(self, desk: Desk) -> None:
        prompt, text = self.prompt(desk, "steer")
        await trio.sleep(self._dice.random() * 0.4)
        answer = await self.act("steer", desk, "follow-up", {"prompt": text, "steer": True})
        prompt.outcome = answer.outcome

    # ------------------------------------------------------------ nothing is at work

    async def follow_up(self, desk: Desk) -> None:
        prompt, text = self.prompt(desk, "follow_up")
        answer = await self.act("follow_up", desk, "follow-up", {"prompt": text})
        prompt.outcome = answer.outcome
        await self.meanwhile(desk)

    async def retry(self, desk: Desk) -> None:
        path = f"/api/execution-processes?task_attempt_id={desk.id}"
        rows = [r for r in await self._world.look(path) or [] if r["run_reason"] == "codingagent"]
        if not rows:
            return
        desk.deleted.clear()
        prompt, text = self.prompt(desk, "retry")
        body = {
            "prompt": text,
            "retry_process_id": self._dice.choice(rows)["id"],
            "perform_git_reset": True,
            "force_when_dirty": True,
        }
        answer = await self.act("retry", desk, "follow-up", body)
        prompt.outcome = answer.outcome
        await self.meanwhile(desk)

    async def merge(self, desk: Desk) -> None:
        strategy = self._dice.choices(["merge", "squash", "rebase"], [3, 1, 1])[0]
        answer = await self.act("merge", desk, "merge", {"strategy": strategy})
        desk.merged_perhaps += answer.outcome == "unknown"
        if answer.outcome == "acknowledged":
            desk.merged += 1
            if strategy == "merge":
                row = await self._world.look(f"/api/task-attempts/{desk.id}")
                name = f"refs/heads/{row['branch']}"
                tip = self._world.git(desk.repository, "rev-parse", name)
                desk.tips.append((tip, row["target_branch"]))

    async def rebase(self, desk: Desk) -> None:
        world, dice = self._world, self._dice
        target = dice.choice(["main", "develop"])
        conflict = dice.random() < 0.5
        name = "shared.txt" if conflict else f"theirs/{world.token('p')}.txt"
        text = f"theirs {world.token('p')}\n"
        (desk.repository / "theirs").mkdir(exist_ok=True)
        await person.commit(world, desk.repository, target, name, text)
        answer = await self.act("rebase", desk, "rebase", {"new_base_branch": target})
        waits = answer.problem == "merge_conflicts"
        desk.may_wait |= waits or answer.outcome == "unknown"
        if waits or (desk.may_wait and dice.random() < 0.8):
            aborted = await self.act("abort", desk, "conflicts/abort")
            if aborted.outcome == "acknowledged":
                desk.may_wait = False

    async def rename(self, desk: Desk) -> None:
        name = f"renamed/{self._world.token('b')}"
        answer = await self.act("rename", desk, "rename-branch", {"new_branch_name": name})
        if answer.outcome == "acknowledged":
            desk.branches = {name}
        elif answer.outcome == "unknown":
            desk.branches |= {name}

    async def delete_file(self, desk: Desk) -> None:
        world = self._world
        if desk.worktree is None:
            return
        world.agents.read()
        here = str(desk.worktree)
        names = [n["path"] for n in world.agents.written if n["worktree"] == here]
        names = [n for n in names if n != "shared.txt" and (Path(here) / n).exists()]
        if not names:
            return
        name = self._dice.choice(names)
        answer = await self.act("delete_file", desk, f"delete-file?file_path={name}")
        if answer.outcome == "acknowledged":
            desk.deleted.add(name)

    async def dev_server(self, desk: Desk) -> None:
        await self.act("dev_server", desk, "start-dev-server")

    async def push(self, desk: Desk) -> None:
        answer = await self.act("push", desk, "push", {"force": True})
        if answer.outcome == "acknowledged":
            row = await self._world.look(f"/api/task-attempts/{desk.id}")
            here = self._world.git(desk.repository, "rev-parse", f"refs/heads/{row['branch']}")
            ask = ("ls-remote", "origin", f"refs/heads/{row['branch']}")
            there = self._world.git(desk.repository, *ask).split()
            if here not in there:
                self._world.faults.lost.append(f"a push of {desk.title} did not arrive")

    async def delete_task(self, desk: Desk) -> None:
        # A dev server is something that runs, too.
        await self.stop(desk)
        self._world.aim.begin("delete_task")
        answer = await self._world.ask("DELETE", f"/api/tasks/{desk.task_id}")
        if answer.outcome == "acknowledged":
            desk.gone = "yes"
        elif answer.outcome == "unknown":
            row = await self._world.look(f"/api/tasks/{desk.task_id}")
            desk.gone = "no" if row is not None else "yes"
