"""The interface of every agent: a launch recipe and a dialogue.

Theory of operation. A dialogue never does anything: it is fed the records of one run, in the order
in which the spool holds them, and it answers with events. What the agent was *told* is fed too
(`Stream.STDIN`), and only that moves the dialogue on: `send()` merely queues bytes. So the state of
a dialogue is a fold of the log and nothing else, and after a restart of the daemon the same log
gives the same state, the same entries under the same keys, the same open questions.

Messages that a dialogue makes by itself (a handshake, an answer to a question of the protocol) are
queued when their cause is read. If the log shows that they were sent (their echo is read from
STDIN) before anyone took them from the queue, they are dropped from it. So a replay that stopped in
the middle of a handshake continues it, and never says a thing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct, field

from anyond.agents.common.carried import NOTHING_CARRIED, Carried
from anyond.model.entries import NormalizedEntry
from anyond.model.http.offers import Offers
from anyond.model.launch import Launch
from anyond.model.records import Stream

# ---------------------------------------------------------------- events: what a dialogue says
#
# One comes of almost every line: these are Structs since those are made five times as fast.


class SessionStarted(Struct, frozen=True):
    """The agent told the id under which this conversation can be resumed."""

    session_id: str


class Offered(Struct, frozen=True):
    """The agent told which modes and models can be chosen.

    Args:
        known_as: which agent it is, where the executor alone does not say that; else "".
    """

    known_as: str
    offers: Offers


class SessionLost(Struct, frozen=True):
    """The session that was to be resumed is not there any more; another try would not find it."""


class EntryPut(Struct, frozen=True):
    """An entry of the conversation is now `entry`; the first time, it is a new one.

    Args:
        key: the dialogue's own name for it, stable over the run and over replays.
    """

    key: str
    entry: NormalizedEntry


class ApprovalAsked(Struct, frozen=True):
    """The agent waits for a decision.

    Args:
        call: the dialogue's name of the question, unique within the run.
        entry_key: the tool entry that the question is about (already put).
    """

    call: str
    tool_name: str
    tool_input: Any
    entry_key: str


class ApprovalAnswered(Struct, frozen=True):
    """The answer to `call` is in the log: the agent has been told."""

    call: str


class ApprovalWithdrawn(Struct, frozen=True):
    """The agent no longer waits for `call`."""

    call: str


class Outcome(StrEnum):
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class TurnEnded(Struct, frozen=True):
    """The agent has finished what it was asked; `error` says why if it failed."""

    outcome: Outcome
    error: str | None = None


class Noise(Struct, frozen=True):
    """A line that we could not read: shown raw and counted, never an error."""

    line: str


AgentEvent = (
    SessionStarted
    | SessionLost
    | Offered
    | EntryPut
    | ApprovalAsked
    | ApprovalAnswered
    | ApprovalWithdrawn
    | TurnEnded
    | Noise
)

# ---------------------------------------------------------------- commands: what it can be told


class Prompt(Struct, frozen=True):
    """A message of the person. Sent once, at the start; more of them steer a running turn.

    The echo of each, and nothing else, puts one entry of the kind `UserMessage` under a new key:
    that is how a restarted daemon knows which of them were said. One that comes when the turn is
    just over begins a turn of its own; `TurnEnded` is told when no message waits any more.
    """

    text: str


class Decision(StrEnum):
    APPROVED = "approved"
    DENIED = "denied"
    TIMED_OUT = "timed_out"


class Decide(Struct, frozen=True):
    """The answer to `ApprovalAsked(call)`. An unknown or answered call is ignored."""

    call: str
    decision: Decision
    reason: str | None = None
    answers: Mapping[str, Any] | None = None


class Interrupt(Struct, frozen=True):
    """Stop working, but stay: the protocol's own way of stopping a turn."""


AgentCommand = Prompt | Decide | Interrupt


class Dialogue(Protocol):
    """One run of one agent, as a machine."""

    def receive(self, stream: Stream, data: bytes, at: int = 0) -> Sequence[AgentEvent]:
        """Feed one record; never raises, whatever the bytes are.

        Args:
            stream: STDOUT and STDERR are the agent's, STDIN is what it was told.
            data: any stretch of bytes, cut anywhere.
            at: Unix nanoseconds of the record.
        """
        ...

    def finish(self) -> Sequence[AgentEvent]:
        """All output has been read: treat an unfinished last line as a line."""
        ...

    def send(self, command: AgentCommand) -> None:
        """Queue the bytes of a command; its effect comes with its echo on STDIN."""
        ...

    def outgoing(self) -> list[bytes]:
        """Take queued messages, whole lines, in order; each is to be written exactly once.

        Not more than can be made in a moment: whoever wants all asks again until there are none.
        """
        ...


@runtime_checkable
class ConfirmsAtOnce(Protocol):
    """The extra of a dialogue whose program gets everything in the beginning.

    Such a program works when its standard input ends; so it ends after the first message. It has
    no words for `Interrupt`: SIGINT stands for it.
    """

    @property
    def confirms_at_once(self) -> bool:
        """True if that is so in this run."""
        ...


@runtime_checkable
class Opens(Protocol):
    """The extra of a dialogue whose program must answer before it can be asked anything."""

    @property
    def opening(self) -> int | None:
        """The number of answers that have come while the handshake lasts; None when it is over."""
        ...

    @property
    def handshake_timeout_s(self) -> float:
        """Seconds in which each answer of the handshake must come."""
        ...


@runtime_checkable
class Carries(Protocol):
    """The extra of a dialogue whose run leaves something for later ones of its attempt."""

    @property
    def left(self) -> Carried:
        """The facts it leaves, as far as the log has been read; without those of earlier runs."""
        ...


class Turn(Struct, frozen=True):
    """The prompt and the circumstances of one run.

    Args:
        prompt: what the person wants, complete (`append_prompt` not yet added).
        session_id: the session to resume, or None for a new one.
        cwd: the worktree, absolute.
        options: the options of the chosen variant.
        past: what was said in this conversation before, told in a few lines; "" if this is its
            beginning. Only an agent that cannot resume its session is told (see `recap`).
        carried: what earlier runs of the attempt have left for this one.
    """

    prompt: str
    cwd: str
    session_id: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    past: str = ""
    carried: Carried = NOTHING_CARRIED


class Agent(Protocol):
    """One row of the roster: all that Anyon knows of one agent program."""

    def launch(self, turn: Turn) -> Launch:
        """Return the launch of the program for this turn.

        Raises:
            Impossible: the options cannot be made into a command.
        """
        ...

    def dialogue(self, turn: Turn) -> Dialogue:
        """A fresh dialogue; the handshake and the prompt are already queued."""
        ...


@runtime_checkable
class Checks(Protocol):
    """The extra of an agent whose options can name something that is not there."""

    def check(self, options: Mapping[str, Any]) -> None:
        """Look whether it is there.

        Raises:
            Impossible: it is not; the error names the option.
        """
        ...


@runtime_checkable
class SetsUp(Protocol):
    """The extra of an agent that can be installed, or logged in, by scripts."""

    def setup(self, options: Mapping[str, Any]) -> Sequence[str]:
        """The bash scripts to run in the worktree, one after the other; at least one.

        Args:
            options: of the chosen variant.
        """
        ...
