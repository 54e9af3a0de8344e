"""Rendering the records of a run as numbered entries, approval requests and an outcome.

Theory of operation. A conversation is a fold: `feed` takes records in the order of the spool and
changes entries; the same records give the same entries under the same numbers, whether they are
read live or replayed after a restart. What people have decided, and what Anyon itself has to say,
is laid over what the dialogue puts; `entry_list` numbers the outcome for those who follow it.

An agent decides how much a record changes. So what may be much is done in steps, and whoever goes
through them lets others run in between.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from anyond.agents.common.carried import Carried
from anyond.agents.common.core import (
    ApprovalAnswered,
    ApprovalAsked,
    ApprovalWithdrawn,
    Carries,
    Decision,
    Dialogue,
    EntryPut,
    Noise,
    Offered,
    Opens,
    Outcome,
    SessionLost,
    SessionStarted,
    TurnEnded,
)
from anyond.logs import notes
from anyond.logs.bounds import (
    ASKED_MOST,
    OPEN_MOST,
    TOO_MANY_QUESTIONS,
    Bounds,
)
from anyond.logs.entry_list import EntryList
from anyond.logs.questions import Question, Questions
from anyond.model.entries import (
    AssistantMessage,
    Created,
    ErrorMessage,
    Failed,
    NormalizedEntry,
    OtherError,
    PendingApproval,
    SetupRequired,
    SystemMessage,
    Thinking,
    TokenUsage,
    ToolUse,
    UserFeedback,
    UserMessage,
)
from anyond.model.http.frames import EntryFrame
from anyond.model.ids import timestamp_ns
from anyond.model.printable import printable
from anyond.model.records import Record, Stream

SUMMARY_BYTES = 4096
NOISE_LINES_MOST = 200
"""So many unreadable lines are shown as entries; all of them are in the raw log."""

NOISE_MOST = 4096
"""Characters of an unreadable line that are shown."""


class Conversation:
    """The entries of one run, kept up to date.

    Args:
        process_id: names the approvals.
        dialogue: the agent's own machine.
        approval_timeout: seconds that a question stays open.

    Attributes:
        offered: which modes and models the agent has told of last.
        messages_received: how many messages of a person have reached the agent.
        outcome: how the turn went; None while it runs, and again when a message opens it again.
        quiet_since: Unix nanoseconds; when anybody said anything last, 0 if nobody ever did.
        quiet_told: the seconds of the silence that lasts as they were told last, or 0.
    """

    def __init__(self, process_id: str, dialogue: Dialogue, approval_timeout: float) -> None:
        self._dialogue = dialogue
        self._questions = Questions(process_id, int(approval_timeout * 1e9))
        self._entries = EntryList()
        self._bounds = Bounds()
        self._noise = 0
        self._from_stdin = False
        self.session_id: str | None = None
        self.session_lost = False
        self.offered: Offered | None = None
        self.outcome: Outcome | None = None
        self.error: str | None = None
        self.messages_received = 0
        self.quiet_since = 0
        self.quiet_reported = 0

    # ------------------------------------------------------------ what it knows

    @property
    def count(self) -> int:
        """The number of entries."""
        return len(self._entries)

    @property
    def end(self) -> int:
        """The number of the latest change."""
        return self._entries.end

    @property
    def questions(self) -> list[Question]:
        """The approval requests whose decision the agent waits for, in the order of asking."""
        return self._questions.open

    @property
    def summary(self) -> str | None:
        """The agent's last words, cut to `SUMMARY_BYTES` at a character's boundary."""
        for entry in reversed(self._entries):
            top = isinstance(entry.parent, msgspec.UnsetType)
            if not (top and isinstance(entry.entry_type, AssistantMessage)):
                continue
            if text := printable(entry.content).strip():
                raw = text.encode(errors="replace")
                if len(raw) <= SUMMARY_BYTES:
                    return text
                return raw[:SUMMARY_BYTES].decode(errors="ignore") + "..."
        return None

    @property
    def usage(self) -> list[TokenUsage]:
        """Tokens and money of the run, as its agent reported them last; none if it never did."""
        return [
            entry.entry_type
            for entry in self._entries
            if isinstance(entry.entry_type, TokenUsage)
            and isinstance(entry.parent, msgspec.UnsetType)
        ]

    @property
    def opening(self) -> int | None:
        """The number of answers that have come while the handshake lasts; None when it is over."""
        return self._dialogue.opening if isinstance(self._dialogue, Opens) else None

    @property
    def left(self) -> Carried:
        """The facts that this run leaves for later ones of its attempt."""
        return self._dialogue.left if isinstance(self._dialogue, Carries) else Carried()

    @property
    def acted(self) -> bool:
        """True if the agent has said, thought or done anything at all."""
        kinds = (AssistantMessage, Thinking, ToolUse)
        return any(isinstance(entry.entry_type, kinds) for entry in self._entries)

    def frames(
        self, after: int = 0, most: int | None = None, most_bytes: float = math.inf
    ) -> list[EntryFrame]:
        """Return the changes after `after`; see `EntryList.frames`."""
        return self._entries.frames(after, most, most_bytes)

    def before_last(self, most: int) -> int:
        """Return the position before the last entries; see `EntryList.before_last`."""
        return self._entries.before_last(most)

    def part(self, start: int, end: int) -> list[EntryFrame]:
        """Return the entries from index `start` on and before `end`."""
        return self._entries.part(start, end)

    def final_frames(self) -> list[EntryFrame]:
        """All entries, for the archive; see `EntryList.final_frames`."""
        return self._entries.final_frames()

    def take_excess(self, most: int) -> list[str]:
        """Some questions that are too many, each once: to be refused, and asked of nobody."""
        return self._questions.take_excess(most)

    # ------------------------------------------------------------ the fold

    def feed(self, record: Record) -> None:
        """Take in the next record of the spool in one go."""
        for _ in self.steps(record):
            pass

    def close(self, at: int, complaint: str | None = None) -> None:
        """Do all of `closing` in one go."""
        for _ in self.closing(at, complaint):
            pass

    def steps(self, record: Record) -> Iterator[None]:
        """Take in the next record of the spool, one change after the other."""
        if record.stream is Stream.NOTE:
            note = notes.decode(record.data)
            if isinstance(note, notes.Decided):
                self._decided(note, record)
            elif isinstance(note, notes.Remark):
                self._remark(note, record)
            elif isinstance(note, notes.Quiet):
                self._quiet(note, record)
                return
            elif isinstance(note, notes.Unanswered):
                self._unanswered(note, record)
            self._note_activity(record.at)
            return
        self._note_activity(record.at)
        self._from_stdin = record.stream is Stream.STDIN
        for event in self._dialogue.receive(record.stream, record.data, record.at):
            yield from self._take(event, record.at)

    def closing(self, at: int, complaint: str | None = None) -> Iterator[None]:
        """The run is over and everything has been fed: step by step, nothing stays open.

        Args:
            at: Unix nanoseconds.
            complaint: one sentence about how it ended, if that was not well.
        """
        for event in self._dialogue.finish():
            yield from self._take(event, at)
        for entry_key in self._questions.close():
            self._restate(entry_key)
        yield from self._settle()
        if complaint is not None and complaint != self.error:
            self._put(
                f"anyon:end:{at}",
                NormalizedEntry(
                    entry_type=ErrorMessage(error_type=OtherError()), content=complaint
                ),
                at,
            )

    def _take(self, event: object, at: int) -> Iterator[None]:
        yield
        match event:
            case SessionStarted(session_id):
                self.session_id = session_id
            case Offered():
                self.offered = event
            case SessionLost():
                self.session_lost = True
            case EntryPut(key, entry):
                self._put(key, entry, at)
            case ApprovalAsked(call) if self._questions.is_excess(call):
                self._questions.add_excess(call)
                text = TOO_MANY_QUESTIONS.format(open_=OPEN_MOST, asked=ASKED_MOST)
                self._add_note("anyon:excess", text, at)
            case ApprovalAsked(call, tool_name, tool_input, entry_key):
                self._questions.ask(call, tool_name, tool_input, entry_key, at)
                self._restate(entry_key)
            case ApprovalAnswered(call):
                self._restate(self._questions.answered(call))
            case ApprovalWithdrawn(call):
                self._restate(self._questions.withdrawn(call))
            case TurnEnded(outcome, error):
                yield from self._settle()
                self.outcome = outcome
                self.error = error
            case Noise(line):
                self._noise += 1
                if self._noise <= NOISE_LINES_MOST:
                    cut_line = line if len(line) <= NOISE_MOST else f"{line[:NOISE_MOST]} […]"
                    self._put(
                        f"anyon:noise:{self._noise}",
                        NormalizedEntry(entry_type=SystemMessage(), content=cut_line),
                        at,
                    )

    def _decided(self, note: notes.Decided, record: Record) -> None:
        asked = self._questions.decide(note)
        if asked is None:
            return
        self._restate(asked.entry_key)
        key = f"anyon:decided:{note.call}"
        if note.decision is Decision.DENIED and note.reason:
            self._put(
                key,
                NormalizedEntry(
                    entry_type=UserFeedback(denied_tool=asked.tool_name), content=note.reason
                ),
                record.at,
            )
        elif note.decision is Decision.TIMED_OUT:
            self._put(
                key,
                NormalizedEntry(
                    entry_type=ErrorMessage(),
                    content=f"Nobody answered the question about {asked.tool_name} in time.",
                ),
                record.at,
            )

    def _remark(self, note: notes.Remark, record: Record) -> None:
        kind: ErrorMessage | SystemMessage = SystemMessage()
        if note.error:
            kind = ErrorMessage(error_type=SetupRequired() if note.setup else OtherError())
        self._put(
            f"anyon:remark:{record.position}:{record.at}",
            NormalizedEntry(entry_type=kind, content=note.text),
            record.at,
        )

    def _unanswered(self, note: notes.Unanswered, record: Record) -> None:
        """The run has failed, unless an answer came in the same moment."""
        if self.opening is None or self.outcome is not None:
            return
        suffix = " What it says is not its protocol." if self._noise else ""
        self.error = (
            f"The agent has not answered within {note.seconds} s of being greeted.{suffix} Perhaps "
            "its command starts something else, or it waits for something; all that it wrote is "
            "in the raw log. The option handshake_timeout_s of the variant gives it more time."
        )
        self.outcome = Outcome.FAILED
        entry = NormalizedEntry(
            entry_type=ErrorMessage(error_type=OtherError()), content=self.error
        )
        self._put("anyon:unanswered", entry, record.at)

    def _note_activity(self, at: int) -> None:
        self.quiet_since = at
        self.quiet_reported = 0

    def _quiet(self, note: notes.Quiet, record: Record) -> None:
        """One entry for one silence: it counts on as long as nobody says anything."""
        self.quiet_reported = note.seconds
        text = (
            f"No output from the agent for {note.seconds} s. It may be waiting for its model, or "
            "for a long command. It is not stopped; you can stop it."
        )
        self._put(
            f"anyon:quiet:{self.quiet_since}",
            NormalizedEntry(entry_type=SystemMessage(), content=text),
            record.at,
        )

    # ------------------------------------------------------------ entries

    def _put(self, key: str, entry: NormalizedEntry, at: int) -> None:
        known = self._entries.get(key)
        if known is None and isinstance(entry.entry_type, UserMessage):
            self._message_received()
        fitting = self._bounds.fit(key, entry)
        if fitting is None:
            self._add_note("anyon:full", self._bounds.remark(), at)
            return
        stamp = timestamp_ns(at) if known is None else known.timestamp
        stamped = replace(self._placed(fitting), timestamp=stamp)
        self._entries.put(key, self._questions.with_status(key, stamped))

    def _add_note(self, key: str, text: str, at: int) -> None:
        if self._entries.get(key) is None:
            self._put(key, NormalizedEntry(entry_type=SystemMessage(), content=text), at)

    def _message_received(self) -> None:
        self.messages_received += 1
        if self.messages_received > 1 and self._from_stdin:
            self.outcome = self.error = None

    def _placed(self, entry: NormalizedEntry) -> NormalizedEntry:
        """The dialogue names the parent by its key; clients know it by the id of its tool call."""
        if isinstance(entry.parent, msgspec.UnsetType):
            return entry
        parent = self._entries.get(entry.parent)
        known = parent.metadata if parent is not None else None
        call = known.get("tool_call_id") if isinstance(known, dict) else None
        return replace(entry, parent=call) if isinstance(call, str) else entry

    def _restate(self, key: str | None) -> None:
        """Show the present decision on an entry; without one, it is at work again."""
        if key is None:
            return
        entry = self._entries.get(key)
        if entry is None or not isinstance(tool := entry.entry_type, ToolUse):
            return
        status = self._questions.status(key) or Created()
        if isinstance(status, Created) and not isinstance(tool.status, PendingApproval):
            return
        self._entries.put(key, replace(entry, entry_type=replace(tool, status=status)))

    def _settle(self) -> Iterator[None]:
        """The turn is over: a tool that never told its end has failed."""
        for key in self._entries.at_work:
            yield
            entry = self._entries.get(key)
            if entry is not None and isinstance(tool := entry.entry_type, ToolUse):
                self._entries.put(key, replace(entry, entry_type=replace(tool, status=Failed())))
