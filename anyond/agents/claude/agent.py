"""The launch of Claude Code, and the options of its variants."""

from __future__ import annotations

from anyond.agents.claude.consent import Consent
from anyond.agents.common import variant
from anyond.agents.common.core import Dialogue, Turn
from anyond.agents.common.recap import recap
from anyond.model.launch import Launch

CLAUDE = ("claude",)
ROUTER = ("ccr", "code")
INSTALL = "Install it with `npm install -g @anthropic-ai/claude-code`."
INSTALL_ROUTER = "Install it with `npm install -g @musistudio/claude-code-router`."

PROTOCOL = (
    "-p",
    "--output-format",
    "stream-json",
    "--input-format",
    "stream-json",
    "--verbose",
    "--include-partial-messages",
    "--permission-prompt-tool",
    "stdio",
    "--replay-user-messages",
)


class Options(variant.Common, frozen=True, kw_only=True):
    """The options of a variant, besides those that all have.

    Args:
        claude_code_router: start the router instead of the program itself.
        plan: begin with a plan; once it is approved, tools need no permission.
        approvals: ask before tools that change something.
        dangerously_skip_permissions: allow every tool. Questions to the person are still asked.
        disable_api_key: hide ANTHROPIC_API_KEY, so that the subscription's login is used.
        fork_session: resume under a new session id, so that the earlier conversation stays as it
            was and a retry can go back to it; false goes on under the same id.
    """

    claude_code_router: bool = False
    plan: bool = False
    approvals: bool = False
    model: str | None = None
    dangerously_skip_permissions: bool = False
    disable_api_key: bool = False
    fork_session: bool = True

    @property
    def consent(self) -> Consent:
        """The one who decides about tools; `plan` wins over `approvals`, and that over skipping."""
        if self.plan:
            return Consent.AFTER_PLAN
        if self.dangerously_skip_permissions and not self.approvals:
            return Consent.ALWAYS
        return Consent.ASK


class Claude:
    """Claude Code, spoken to over its stream-json control protocol."""

    def launch(self, turn: Turn) -> Launch:
        """Return the launch of the program for this turn.

        Raises:
            Impossible: the options cannot be made into a command.
        """
        options = variant.decode(turn.options, Options)
        # The program refuses to skip permissions when it runs as root, and a mode that was not
        # chosen at the start cannot be reached later. So it always asks, and the dialogue answers.
        before = [*PROTOCOL, "--permission-mode", "plan" if options.plan else "default"]
        if options.model:
            before += ["--model", options.model]
        after: list[str] = []
        if turn.session_id is not None:
            after += ["--resume", variant.resumed(turn.session_id)]
            if options.fork_session:
                after.append("--fork-session")
        # A daemon that was started from within a session of the program must not look like one.
        env: dict[str, str | None] = {"CLAUDECODE": None, "CLAUDE_CODE_ENTRYPOINT": None}
        if options.disable_api_key:
            env["ANTHROPIC_API_KEY"] = None
        base, install = (
            (ROUTER, INSTALL_ROUTER) if options.claude_code_router else (CLAUDE, INSTALL)
        )
        return variant.launch(
            options, turn.cwd, base, before=before, after=after, env=env, install=install
        )

    def dialogue(self, turn: Turn) -> Dialogue:
        """A fresh dialogue; the handshake and the prompt are already queued.

        Raises:
            Impossible: as for `launch`.
        """
        # Loaded with the first dialogue, as no start of the daemon needs to wait for it.
        from anyond.agents.claude.dialogue import ClaudeDialogue

        options = variant.decode(turn.options, Options)
        return ClaudeDialogue(
            prompt=variant.full_prompt(turn.prompt, options),
            cwd=turn.cwd,
            consent=options.consent,
            recap_text=recap(turn) if turn.past and turn.session_id is None else None,
            carried=turn.carried,
        )
