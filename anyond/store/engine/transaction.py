"""Group commit: many writes in one transaction, in which each succeeds or fails alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Deleted
from anyond.store.engine.connection import Answer

R = TypeVar("R")

ALONGSIDE: ContextVar[Callable[[Tx], None] | None] = ContextVar("alongside", default=None)
"""Done in each write of the current request, after its work and in the same savepoint."""

# The machine's trouble, not ours: these may pass, or a person can do something about them.
_TROUBLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}


class Fact(NamedTuple):
    """A change that is not committed yet, so that it has no position."""

    kind: str
    data: bytes
    project_id: str | None
    attempt_id: str | None
    key: str | None
    dropped: bool


class Reader:
    """The argument of a reading closure: one consistent state of the database."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Run one statement. Raises `sqlite3.Error`."""
        return self._connection.execute(sql, parameters)


class Tx(Reader):
    """The argument of a writing closure: a savepoint of its own. It must not end the
    transaction.
    """

    __slots__ = ("facts",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.facts: list[Fact] = []

    def emit(
        self,
        kind: str,
        record: Struct,
        *,
        project_id: str | None = None,
        attempt_id: str | None = None,
        key: str | None = None,
        dropped: bool = False,
    ) -> None:
        """Tell the followers about `record` if and when this write is committed.

        Args:
            kind: the name of the event, as clients see it.
            record: its state now; encoded at once.
            project_id: whose followers want it.
            attempt_id: whose followers want it.
            key: the id of the record.
            dropped: whether only those who ask for dropped records want it.
        """
        data = msgspec.json.encode(record)
        self.facts.append(Fact(kind, data, project_id, attempt_id, key, dropped))


class Request(Generic[R]):
    """One write that waits for its commit, and for whoever asked for it."""

    __slots__ = ("_error", "_result", "alongside", "answer", "work")

    def __init__(
        self, work: Callable[[Tx], R], alongside: Callable[[Tx], None] | None = None
    ) -> None:
        self.work = work
        self.alongside = alongside
        self.answer: Answer[R] = Answer()
        self._result: R | None = None
        self._error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> list[Fact]:
        """Do the work in a savepoint; returns what it emitted, which is nothing if it raised.

        Raises:
            sqlite3.Error: the whole transaction is lost, not only this work.
        """
        tx = Tx(connection)
        connection.execute("SAVEPOINT request")
        try:
            self._result = self.work(tx)
            if self.alongside is not None:
                self.alongside(tx)
        except BaseException as error:
            self._error = _of_work(error)
            if not connection.in_transaction:
                raise  # SQLite gave up everything, the neighbours' work too
            connection.execute("ROLLBACK TO request")
            tx.facts.clear()
        connection.execute("RELEASE request")
        return tx.facts

    def settle(self, error: BaseException | None) -> None:
        """Answer after the commit, or after its `error`; in the Trio thread."""
        # The writer's thread holds its last group until there is another one, which can be hours;
        # a work may hold a whole conversation.
        self.work = _is_done
        self.alongside = None
        if self.answer.done():
            return
        if self._error is not None:
            self.answer.set_exception(self._error)
        elif error is not None:
            self.answer.set_exception(trouble(error))
        else:
            self.answer.set_result(self._result)  # type: ignore[arg-type]


def _is_done(_: Tx) -> Any:
    raise AssertionError("a write is done once")


class Once(Generic[R]):
    """A piece of work that is let go of as soon as it begins, whoever still holds this.

    The threads of connections hold the last that they were given until there is more.
    """

    __slots__ = ("_work",)

    def __init__(self, work: Callable[[Reader], R]) -> None:
        self._work: Callable[[Reader], R] | None = work

    def __call__(self, reader: Reader) -> R:
        work, self._work = self._work, None
        assert work is not None, "a read is done once"
        return work(reader)


def commit_together(
    connection: sqlite3.Connection,
    requests: Sequence[Request[Any]],
    record: Callable[[sqlite3.Connection, list[Fact]], R],
) -> R:
    """Do all `requests` in one transaction, on the connection's own thread.

    Args:
        record: writes down what all of them emitted; its result is returned.

    Raises:
        sqlite3.Error: nothing was kept; the connection is usable.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        facts: list[Fact] = []
        for request in requests:
            facts += request.run(connection)
        recorded = record(connection, facts)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return recorded


def read_consistently(work: Callable[[Reader], R], connection: sqlite3.Connection) -> R:
    """Do `work` in a read transaction, so that all its statements see the same state."""
    connection.execute("BEGIN")
    try:
        return work(Reader(connection))
    except sqlite3.Error as error:
        raise trouble(error) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _of_work(error: BaseException) -> BaseException:
    code = getattr(error, "sqlite_errorcode", None)
    if code != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return trouble(error)
    # The row that it belongs to was there when the client's request began.
    refusal = Deleted()
    refusal.__cause__ = error
    return refusal


def in_words(error: sqlite3.Error) -> str:
    """Return SQLite's message, and more where it knows more than it says."""
    if getattr(error, "sqlite_errorcode", None) in _NO_ROOM:
        return "its disk is full"
    return str(error)


def trouble(error: BaseException) -> BaseException:
    """`error` itself, or a refusal in plain words if it is trouble of the disk or the file."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _TROUBLE:
            text = f"The database cannot do this now: {in_words(error)}."
            if code & 0xFF in _DAMAGE:
                text += (
                    " It is damaged; stop Anyon and run `anyon restore-backup`, which keeps the "
                    "damaged file."
                )
            refusal = Unavailable(text)
            refusal.__cause__ = error
            return refusal
    return error
