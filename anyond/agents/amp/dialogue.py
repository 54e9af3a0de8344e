"""The dialogue with Amp, as far as it differs from Claude Code's.

Theory of operation. Amp gets the prompt and the end of its input, and works; nothing can be said
later. When it continues a thread it may first tell that thread again. It repeats the prompt before
it works on it; so the lines of a continued thread are held until that is seen, and dropped then.
Amp has been seen to do without; so they are shown after all if it never comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from anyond.agents.amp.tools import canonical, canonical_input, result_data
from anyond.agents.claude import wire
from anyond.agents.claude.consent import Consent
from anyond.agents.claude.dialogue import ClaudeDialogue
from anyond.agents.common import disguised_errors
from anyond.agents.common.core import AgentCommand, AgentEvent, SessionLost
from anyond.model.entries import ErrorMessage, SetupRequired


class AmpDialogue(ClaudeDialogue):
    """One run of Amp.

    Args:
        prompt: the message, complete.
        cwd: the worktree, absolute.
        resumed: whether a thread is continued.
        recap: what Amp is told before it in a conversation that it has forgotten.
    """

    login = "Log in with `amp login`, or check the key that the agent is given."

    def __init__(self, *, prompt: str, cwd: str, resumed: bool, recap: str | None = None) -> None:
        self._asked = ""
        self._resumed = resumed
        self._held: list[bytes] | None = [] if resumed else None
        self._begun = False
        self._lost = False
        self._names: dict[str, str] = {}
        self._answer: str | None = None
        self._has_more_output = False
        self._counted = False
        super().__init__(prompt=prompt, cwd=cwd, consent=Consent.ALWAYS, recap_text=recap)

    @property
    def confirms_at_once(self) -> bool:
        return True

    def _greet(self) -> None:
        """Amp knows no handshake."""

    def send(self, command: AgentCommand) -> None:
        """Nothing can be said once the prompt is said."""

    def finish(self) -> Sequence[AgentEvent]:
        """All output has been read: what was held is shown."""
        self._received_line(self._stdout.rest())
        self._release()
        return super().finish()

    def _was_asked(self, texts: list[str]) -> None:
        self._asked = "\n".join(one for one in texts if one != self._recap)
        super()._was_asked(texts)

    # ------------------------------------------------------------ what it says

    def _received_line(self, line: bytes) -> None:
        if not self._begun and line.strip() and not line.lstrip().startswith(b"{"):
            self._add_plain_output(line)  # the reason why it cannot begin
        elif self._held is None or self._sifted(line, self._held):
            super()._received_line(line)

    def _sifted(self, line: bytes, held: list[bytes]) -> bool:
        """Return whether a line of a continued thread is to be shown now."""
        try:
            head = wire.head(line)
            if head.type == "user" and head.parent_tool_use_id is None:
                blocks = wire.user(line).message.blocks
                text = "\n".join(block.text for block in blocks if block.type == "text")
                if text.strip() == self._asked.strip():
                    self._held = None
                    return False
            elif head.type not in ("assistant", "user", "result"):
                return True
        except (ValueError, RecursionError):
            return True  # it becomes noise there
        if head.type == "result" or (head.type == "assistant" and not held):
            self._release()
            return True
        held.append(line)
        return False

    def _release(self) -> None:
        held, self._held = self._held, None
        for line in held or ():
            super()._received_line(line)

    def _system(self, head: wire.Head, line: bytes) -> None:
        self._begun |= head.subtype == "init"
        super()._system(head, line)

    def _model_message(self, line: wire.AssistantLine, parent: str | None) -> None:
        for block in line.message.blocks:
            if block.type == "text" and parent is None:
                self._has_more_output |= self._answer is not None
                self._answer = block.text
            elif block.type == "tool_use":
                self._has_more_output = True
                name = self._names[block.id] = canonical(block.name)
                block.name, block.input = name, canonical_input(name, block.input)
        if line.message.model is not None and parent is None:
            self._system_lines.learn_model(line.message.model)
        super()._model_message(line, parent)
        self._count(line.message.usage)

    def _count(self, data: Raw) -> None:
        """Add the tokens of a message; Amp counts those of the cache among the input."""
        if not data:
            return
        try:
            used = wire.usage(data)
        except (ValueError, RecursionError):
            return  # another form of it; then the end of the turn may tell
        cached = (used.cache_read_input_tokens or 0) + (used.cache_creation_input_tokens or 0)
        if (used.input_tokens or 0) >= cached:
            used.input_tokens = (used.input_tokens or 0) - cached
        self._counted = True
        if self._accounts.add(wire.ResultLine(usage=used), self._system_lines.model):
            self._events.put(self._accounts)

    def _data(self, block: wire.Block, fallback: Any) -> Any:
        data = result_data(self._names.get(block.tool_use_id, ""), block.content)
        if data is not None and data.get("exitCode", 0) != 0:
            block.is_error = True
        return fallback if data is None else data

    def _over(self, result: wire.ResultLine, subtype: str | None) -> None:
        if self._counted:
            result.usage = None
        answer = self._answer or ""
        refused = disguised_errors.is_error(answer) or disguised_errors.is_demand(answer)
        if not self._has_more_output and refused:
            login = disguised_errors.refuses_key(answer)
            complaints = self._complaints
            complaints.add(complaints.with_advice(answer, login), login, self._messages.latest_key)
            result.is_error, result.result = True, answer
        super()._over(result, subtype)

    def _add_plain_output(self, line: bytes) -> None:
        super()._add_plain_output(line)
        block = self._complaints.plain_output.last
        if self._begun or block is None:
            return
        text = line.decode(errors="replace")
        if disguised_errors.refuses_key(text):
            block.kind = ErrorMessage(error_type=SetupRequired())
            self._events.put(block)
        elif self._resumed and not self._lost and disguised_errors.lost_session(text):
            self._lost = True
            self._events.emit(SessionLost())
