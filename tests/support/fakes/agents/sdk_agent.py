"""An agent written with the official Python SDK of the Agent Client Protocol.

It owes nothing to our reading of the protocol: the SDK decodes and checks what we say, and makes
what we hear. Run it by its path. Each line of the last block of a prompt is done in turn:

    say TEXT        a message, in two chunks
    think TEXT      a thought
    plan A | B      a plan, its first step done
    edit FILE TEXT  asks permission with a diff, then writes FILE (relative to the session)
    run TEXT        a command that says TEXT, without a terminal of the client
    recall          says how many prompts this session has seen before
    hang            waits for a cancel
    fail            the prompt is answered by an error of the SDK

Other lines mean nothing. `$SDK_AGENT_STATE` is a folder for its sessions. With
`SDK_AGENT_RESUME=1` it announces `session/resume`, else only that sessions can be loaded.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from pathlib import Path
from typing import Any, cast

import acp
from acp import schema

STATE = Path(os.environ["SDK_AGENT_STATE"])
RESUMES = os.environ.get("SDK_AGENT_RESUME") == "1"


class Cancelled(Exception):
    pass


class SdkAgent:
    def __init__(self) -> None:
        self.client: Any = None
        self.folders: dict[str, Path] = {}
        self.cancelled = asyncio.Event()
        self.calls = 0

    def on_connect(self, conn: Any) -> None:
        self.client = conn

    # ------------------------------------------------------------ sessions

    async def initialize(self, protocol_version: int, **more: Any) -> Any:
        resume = schema.SessionResumeCapabilities() if RESUMES else None
        return schema.InitializeResponse(
            protocol_version=acp.PROTOCOL_VERSION,
            agent_info=schema.Implementation(name="sdk", title="SDK agent", version="1.0"),
            agent_capabilities=schema.AgentCapabilities(
                load_session=True, session_capabilities=schema.SessionCapabilities(resume=resume)
            ),
        )

    async def new_session(self, cwd: str, **more: Any) -> Any:
        session_id = str(uuid.uuid4())
        self.folders[session_id] = Path(cwd)
        self._remember(session_id, [])
        return schema.NewSessionResponse(session_id=session_id)

    async def load_session(self, cwd: str, session_id: str, **more: Any) -> Any:
        prompts = self._open(session_id, cwd)
        for prompt in prompts:
            await self._update(session_id, acp.update_user_message_text(prompt))
            await self._update(session_id, acp.update_agent_message_text("replayed"))
        return schema.LoadSessionResponse()

    async def resume_session(self, session_id: str, cwd: str, **more: Any) -> Any:
        self._open(session_id, cwd)
        return schema.ResumeSessionResponse()

    def _open(self, session_id: str, cwd: str) -> list[str]:
        if not (STATE / session_id).exists():
            raise acp.RequestError.resource_not_found(session_id)
        self.folders[session_id] = Path(cwd)
        return self._prompts(session_id)

    def _prompts(self, session_id: str) -> list[str]:
        return json.loads((STATE / session_id).read_text())  # type: ignore[no-any-return]

    def _remember(self, session_id: str, prompts: list[str]) -> None:
        (STATE / session_id).write_text(json.dumps(prompts))

    # ------------------------------------------------------------ a turn

    async def cancel(self, session_id: str, **more: Any) -> None:
        self.cancelled.set()

    async def prompt(self, session_id: str, prompt: list[Any], **more: Any) -> Any:
        self.cancelled.clear()
        text = prompt[-1].text
        earlier = self._prompts(session_id)
        self._remember(session_id, [*earlier, text])
        try:
            for line in text.splitlines():
                await self._do(session_id, line.strip(), len(earlier))
        except Cancelled:
            return schema.PromptResponse(stop_reason="cancelled")
        usage = schema.Usage(input_tokens=70, output_tokens=7, total_tokens=77)
        return schema.PromptResponse(stop_reason="end_turn", usage=usage)

    async def _do(self, session: str, line: str, earlier: int) -> None:
        word, _, rest = line.partition(" ")
        if word == "think":
            await self._update(session, acp.update_agent_thought_text(rest))
        elif word == "plan":
            first, *others = (step.strip() for step in rest.split("|"))
            steps = [acp.plan_entry(first, status="completed"), *map(acp.plan_entry, others)]
            await self._update(session, acp.update_plan(steps))
        elif word == "edit":
            await self._edit(session, *rest.split(" ", 1))
        elif word == "run":
            call = self._call()
            start = acp.start_tool_call(
                call, f"echo {rest}", kind="execute", raw_input={"command": f"echo {rest}"}
            )
            await self._update(session, start)
            content = [acp.tool_content(acp.text_block(rest))]
            raw = {"exit_code": 0, "output": rest}
            done = acp.update_tool_call(call, status="completed", content=content, raw_output=raw)
            await self._update(session, done)
        elif word == "recall":
            await self._send(session, f"{earlier} prompts before")
        elif word == "hang":
            await self.cancelled.wait()
            raise Cancelled
        elif word == "fail":
            raise acp.RequestError.internal_error({"details": "the model is gone"})
        elif word == "say":
            await self._send(session, rest)

    async def _edit(self, session: str, name: str, text: str) -> None:
        path = self.folders[session] / name
        old = path.read_text() if path.exists() else None
        call = self._call()
        diff = acp.tool_diff_content(str(path), f"{text}\n", old)
        await self._update(session, acp.start_edit_tool_call(call, f"Edit {name}", str(path), diff))
        asked = await self.client.request_permission(
            session_id=session,
            tool_call=schema.ToolCallUpdate(tool_call_id=call, kind="edit", content=[diff]),
            options=[
                schema.PermissionOption(option_id="yes", name="Allow", kind="allow_once"),
                schema.PermissionOption(option_id="no", name="Reject", kind="reject_once"),
            ],
        )
        if isinstance(asked.outcome, schema.DeniedOutcome):
            raise Cancelled
        if asked.outcome.option_id == "no":
            await self._update(session, acp.update_tool_call(call, status="failed"))
            await self._send(session, "You did not want it.")
            return
        path.write_text(f"{text}\n")
        done = acp.update_tool_call(call, status="completed", content=[diff])
        await self._update(session, done)

    def _call(self) -> str:
        self.calls += 1
        return f"call-{os.getpid()}-{self.calls}"

    async def _send(self, session: str, text: str) -> None:
        half = len(text) // 2
        for piece in (text[:half], text[half:]):
            await self._update(session, acp.update_agent_message_text(piece))

    async def _update(self, session: str, update: Any) -> None:
        await self.client.session_update(session_id=session, update=update)


if __name__ == "__main__":
    # The SDK takes what has some of the handlers; its protocol names them all.
    agent = cast(acp.Agent, SdkAgent())
    asyncio.run(acp.run_agent(agent, use_unstable_protocol=RESUMES))
