"""Peculiarities of the agents of the Agent Client Protocol, by the name that each gives itself."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Quirks(Struct, frozen=True):
    """The ways of one agent; the default is one that keeps to the protocol.

    Args:
        teachable: after a denial it can be told the reason: its turn then ends as always, and
            another prompt is understood as the same person speaking on.
        remarks: it speaks of its own troubles in the model's voice: a chunk that begins with
            "Info: " is news, and one that begins with "Error: " and is the last one is a failure,
            however well the turn ends.
        retried: so begins the news that it asks again for a message, of which it may have shown
            the beginning.
        asides: chunks that begin so are meant for its own screen and say nothing.
        warnings: chunks that begin so are its own: each is a whole one, but nothing parts it from
            the words of the model that follow.
        cumulative_usage: the usage of a turn is the sum over all turns of the process.
        session_usage: it is the sum over all turns of the session, those of earlier processes too.
        late_history: after it has loaded a session it repeats the old conversation, until it tells
            which commands there are.
        only_loads: it announces that it can resume a session, and cannot; load does the same.
        counts_answers: the usage of a turn tells every answer of the model that came to its end,
            and an answer that never does ends the turn as if all were well. A prompt that begins
            like a command of a shell may be for the program itself, and asks no model.
        loads_anything: a session that it does not know is loaded as well, as an empty one.
        silent_subagents: what a sub-agent says is not marked as such.
        honest_commands: a command that it calls completed has ended with 0.
        named_models: the ids of its models are its own; their names are what others call them.
        whole_texts: each piece of a text is a whole one: the next begins another.
        plan_mode: the id of the mode in which it plans and changes nothing.
        free_mode: that of the mode in which it refuses nothing by itself, whether it asks or not;
            None if only its options do that.
        ask_mode: that of the mode in which it asks a person before it changes something; None if
            it always begins in it.
    """

    teachable: bool = False
    remarks: bool = False
    retried: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    cumulative_usage: bool = False
    session_usage: bool = False
    late_history: bool = False
    only_loads: bool = False
    counts_answers: bool = False
    loads_anything: bool = False
    silent_subagents: bool = False
    honest_commands: bool = False
    named_models: bool = False
    whole_texts: bool = False
    plan_mode: str = "plan"
    free_mode: str | None = None
    ask_mode: str | None = None


QUIRKS: Mapping[str, Quirks] = {
    "gemini-cli": Quirks(
        teachable=True,
        asides=("[MODE_UPDATE] ",),
        late_history=True,
        counts_answers=True,
        free_mode="yolo",
        ask_mode="default",
    ),
    "qwen-code": Quirks(
        teachable=True,
        only_loads=True,
        loads_anything=True,
        named_models=True,
        silent_subagents=True,
        free_mode="yolo",
        ask_mode="default",
    ),
    "OpenCode": Quirks(teachable=True),
    "Copilot": Quirks(
        teachable=True,
        remarks=True,
        retried=("Info: Response was interrupted", "Info: Request failed"),
        # It says that it was stopped by the person, even if nobody has answered it.
        asides=("Info: /", "Info: Operation cancelled by user"),
        cumulative_usage=True,
        silent_subagents=True,
        ask_mode="agent",
    ),
    "Kilo": Quirks(teachable=True),
    "@mistralai/mistral-vibe": Quirks(session_usage=True, free_mode="auto-approve", ask_mode="ask"),
    "@factory/cli": Quirks(
        teachable=True,
        remarks=True,
        honest_commands=True,
        whole_texts=True,
        plan_mode="spec",
        free_mode="auto-high",
        ask_mode="normal",
    ),
    "@agentclientprotocol/claude-agent-acp": Quirks(
        teachable=True, honest_commands=True, free_mode="default", ask_mode="default"
    ),
    "@agentclientprotocol/codex-acp": Quirks(
        teachable=True,
        warnings=("Warning: Model metadata for ",),
        free_mode="agent-full-access",
        ask_mode="read-only",
    ),
    "codex-acp": Quirks(
        teachable=True,
        warnings=("Model metadata for ",),
        free_mode="full-access",
        ask_mode="read-only",
    ),
    "@zed-industries/claude-code-acp": Quirks(remarks=True),
}
