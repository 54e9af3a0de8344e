"""Asking the person at the terminal what the agent that is followed asks."""

from __future__ import annotations

from collections.abc import Callable

from anyond.api import approvals
from anyond.cli.following import questions
from anyond.cli.following.keyboard import read_key, read_line, single_keys
from anyond.cli.following.questions import Rules
from anyond.cli.following.screen import Screen
from anyond.cli.following.transcript import Asked, Transcript
from anyond.cli.frame.exit_codes import ExitCode
from anyond.cli.frame.failures import CommandFailed
from anyond.cli.rendering.colors import Style
from anyond.cli.rendering.harmless import in_one_line
from anyond.client import BlockingClient, Refused
from anyond.model.http.bodies import Answer
from anyond.model.rows import Approval, ApprovalStatus


class Asking:
    """The questions of one attempt.

    Args:
        awaited_key: given the keyboard, takes in what happens until something does; whether that
            was a key.
        can_ask: a person is at the terminal.
    """

    def __init__(
        self,
        client: BlockingClient,
        screen: Screen,
        transcript: Transcript,
        rules: Rules,
        *,
        awaited_key: Callable[[int], bool],
        can_ask: bool,
    ) -> None:
        self._client = client
        self._screen = screen
        self._transcript = transcript
        self._rules = rules
        self._awaited_key = awaited_key
        self._can_ask = can_ask
        self._answered: set[str] = set()
        self._always: set[str] = set()

    def ask(self) -> None:
        """Ask what is open and was not asked yet.

        Raises:
            CommandFailed: a person is needed, and none is there.
            KeyboardInterrupt: the person leaves.
        """
        for asked in list(self._transcript.waiting.values()):
            if asked.approval_id not in self._answered:
                self._decide(asked)

    def _decide(self, asked: Asked) -> None:
        request = approvals.ApprovalsWithStatus(status=ApprovalStatus.PENDING)
        pending = self._client.call(approvals.LIST_APPROVALS, request)
        approval = next((one for one in pending if one.id == asked.approval_id), None)
        self._answered.add(asked.approval_id)
        if approval is None:
            return  # answered elsewhere
        given = self._rules.decision(approval)
        if given is None and approval.tool_name in self._always:
            given = questions.approved()
        if given is None and not self._can_ask:
            self._transcript.flush()
            for line in questions.question_lines(approval):
                self._screen.line(f"? {line}", Style.ATTENTION)
            raise CommandFailed(
                f"The agent waits for a person. Answer with `anyon answer {approval.id[:8]}`;"
                " --allow or --deny decide without one.",
                ExitCode.NEEDS_PERSON,
                "needs_person",
            )
        if given is None:
            given = self._asked(approval)
        if given is not None:
            self._respond(approval, given)

    def _respond(self, approval: Approval, given: Answer) -> None:
        params = approvals.OfApproval(approval_id=approval.id)
        try:
            self._client.call(approvals.RESPOND_TO_APPROVAL, params, given)
        except Refused as refused:
            self._screen.line(f"! {refused}", Style.BAD)
            return
        yes = given.status.status is ApprovalStatus.APPROVED
        word = "allowed" if yes else "denied"
        self._screen.line(f"  {word}: {in_one_line(approval.tool_name)}", Style.DIM)

    def _asked(self, approval: Approval) -> Answer | None:
        """The answer of the person; None if it was given elsewhere meanwhile."""
        self._transcript.flush()
        found = questions.choices(approval)
        first, *rest = questions.question_lines(approval)
        self._screen.line(f"? {first}", Style.ATTENTION)
        for line in rest:
            self._screen.line(f"  {line}")
        if found:
            return self._chosen(found)
        menu = "[y]es  [a]lways this tool here  [n]o  no, with a [r]eason  [?] all of it"
        while True:
            self._screen.foot(menu)
            key = self._key(approval)
            self._screen.foot("")
            match key:
                case "y":
                    return questions.approved()
                case "a":
                    self._always.add(approval.tool_name)
                    return questions.approved()
                case "n":
                    return questions.denied()
                case "r":
                    self._screen.end()
                    return questions.denied(read_line("Why not? ") or None)
                case "?":
                    for line in questions.whole_lines(approval):
                        self._screen.line(f"  {line}")
                case "":
                    raise KeyboardInterrupt
                case None:
                    self._screen.line("  answered elsewhere", Style.DIM)
                    return None

    def _key(self, approval: Approval) -> str | None:
        """A key; None if the question is open no longer."""
        with single_keys() as keyboard:
            while not self._awaited_key(keyboard):
                still = {asked.approval_id for asked in self._transcript.waiting.values()}
                if approval.id not in still:
                    return None
            return read_key(keyboard)

    def _chosen(self, found: list[questions.Choice]) -> Answer:
        answers = {}
        for choice in found:
            self._screen.end()
            text = ""
            while not text:
                text = read_line("Your choice (a number, or words of your own): ")
            parts = text.replace(",", " ").split()
            one_of = all(part.isdecimal() for part in parts)
            answers[choice.key] = questions.picked(choice, parts if one_of else [text])
        return questions.approved(answers)
