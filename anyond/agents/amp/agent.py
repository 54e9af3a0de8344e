"""The launch of Amp, and the options of its variants."""

from __future__ import annotations

from anyond.agents.common import variant
from anyond.agents.common.core import Dialogue, Turn
from anyond.agents.common.recap import recap
from anyond.model.launch import Launch

AMP = ("amp",)
INSTALL = "Install it with `npm install -g @sourcegraph/amp`."
PROTOCOL = ("--execute", "--stream-json", "--stream-json-thinking", "--stream-json-input")


class AmpOptions(variant.Common, frozen=True, kw_only=True):
    """The options of a variant; None is "not said".

    Args:
        dangerously_allow_all: allow every tool. Without it the rules of Amp's own settings hold;
            there is nobody whom Amp could ask, so what they want asked is refused.
        mode: the agent mode, which chooses the model.
    """

    dangerously_allow_all: bool | None = None
    mode: str | None = None


class Amp:
    """Amp, which prints its work as stream-json and is told everything at once."""

    def launch(self, turn: Turn) -> Launch:
        """Return the launch of the program for this turn.

        A thread is continued, not copied: Amp offers no copies of threads any more.

        Raises:
            Impossible: the options cannot be made into a command.
        """
        options = variant.decode(turn.options, AmpOptions)
        before: list[str] = []
        if turn.session_id is not None:
            before += ["threads", "continue", variant.resumed(turn.session_id)]
        before += PROTOCOL
        if options.dangerously_allow_all:
            before.append("--dangerously-allow-all")
        if options.mode:
            before += ["--mode", options.mode]
        return variant.launch(options, turn.cwd, AMP, before=before, install=INSTALL)

    def dialogue(self, turn: Turn) -> Dialogue:
        """A fresh dialogue; the prompt is already queued.

        Raises:
            Impossible: as for `launch`.
        """
        # Loaded with the first dialogue, as no start of the daemon needs to wait for it.
        from anyond.agents.amp.dialogue import AmpDialogue

        options = variant.decode(turn.options, AmpOptions)
        return AmpDialogue(
            prompt=variant.full_prompt(turn.prompt, options),
            cwd=turn.cwd,
            resumed=turn.session_id is not None,
            recap=recap(turn) if turn.past and turn.session_id is None else None,
        )
