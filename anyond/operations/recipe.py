"""How an execution is started and understood: its command, its environment, its dialogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct, field

from anyond.agents.core import Dialogue, Turn
from anyond.agents.roster import agent
from anyond.machines.prompt import expand_tags, find_images
from anyond.model.launch import Launch
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    ExecutionProcess,
    ScriptContext,
    ScriptRequest,
)
from anyond.model.settings import Executor
from anyond.operations.rooms import Rooms
from anyond.procs.ports import free_port
from anyond.store import tags


class KeptTurn(Struct, frozen=True, kw_only=True):
    """A turn as it is written down before its agent starts.

    After a restart of the daemon the log is replayed with this, whatever the settings are by then.
    """

    executor: Executor
    prompt: str
    cwd: str
    session_id: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    approval_timeout_s: float = 3600
    past: str = ""

    @staticmethod
    def decode(text: str) -> KeptTurn:
        """What `encode` wrote."""
        return msgspec.json.decode(text, type=KeptTurn)

    def encode(self) -> str:
        return msgspec.json.encode(self).decode()

    def turn(self) -> Turn:
        return Turn(
            prompt=self.prompt,
            cwd=self.cwd,
            session_id=self.session_id,
            options=self.options,
            past=self.past,
        )

    def dialogue(self) -> Dialogue:
        return agent(self.executor).dialogue(self.turn())


@dataclass(frozen=True)
class Recipe:
    """What to start; `kept` is None for scripts."""

    launch: Launch
    kept: KeptTurn | None


async def write_recipe(rooms: Rooms, process: ExecutionProcess, cwd: str) -> Recipe:
    """How to start `process` in the directory `cwd`.

    The prompt in the row is what the person wrote. What the agent is told is made of it here, and
    written down with the turn: `@tag_name` becomes the content that the tag has now, and links to
    images of the worktree become absolute.

    Raises:
        Impossible: the profile names no variant, or its options make no command.
    """
    request = process.executor_action.typ
    if isinstance(request, ScriptRequest):
        return Recipe(
            Launch(
                argv=("bash", "-c", request.script),
                cwd=cwd,
                env=_script_environment(request.context),
                stdin=False,
                install="Scripts are run with bash; install it.",
            ),
            None,
        )
    profile = request.executor_profile_id
    kept = KeptTurn(
        executor=profile.executor,
        prompt=await _told(rooms, request.prompt, cwd),
        cwd=cwd,
        session_id=(
            request.session_id if isinstance(request, CodingAgentFollowUpRequest) else None
        ),
        options=rooms.profiles.variant(profile),
        approval_timeout_s=rooms.config.config.approval_timeout_s,
    )
    return Recipe(agent(profile.executor).launch(kept.turn()), kept)


async def _told(rooms: Rooms, prompt: str, cwd: str) -> str:
    if "@" in prompt:
        contents = await rooms.store.read(tags.contents)
        prompt = expand_tags(prompt, lambda name: contents.get(tags.fold(name)))
    return find_images(prompt, cwd)


def _script_environment(context: ScriptContext) -> dict[str, str | None]:
    return {"PORT": str(free_port())} if context is ScriptContext.DEV_SERVER else {}
