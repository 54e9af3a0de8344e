"""Exit codes and sentences of what goes wrong."""

from __future__ import annotations

import json
import sys
from typing import NamedTuple

import click

from anyond.cli.frame.exit_codes import ExitCode


class CommandFailed(Exception):
    """A command ends with that code and that sentence.

    Args:
        type: a name for programs.
    """

    def __init__(
        self, sentence: str, code: ExitCode = ExitCode.FAILED, type: str = "failed"
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.type = type


class Failure(NamedTuple):
    """The end of a command, as it is reported.

    Args:
        field: which argument or field is wrong, if that is known.
        data: what a refusal says besides, for `--json`.
    """

    code: ExitCode
    type: str
    message: str
    field: str | None = None
    data: dict[str, object] | None = None

    def report(self, as_json: bool) -> int:
        """Print it on stderr, as JSON if that is asked for; returns the exit code."""
        if as_json:
            error: dict[str, object] = {
                "type": self.type,
                "message": self.message,
                "field": self.field,
            }
            error.update({k: v for k, v in (self.data or {}).items() if k not in error})
            click.echo(json.dumps({"error": error}, ensure_ascii=False), err=True)
        elif self.message:
            from anyond.cli.rendering.harmless import harmless

            click.echo(harmless(self.message), err=True)
        return int(self.code)


def failure_of(error: BaseException) -> Failure | None:
    """Return how `error` is reported; None if it is a fault of ours."""
    match error:
        case CommandFailed():
            return Failure(error.code, error.type, str(error))
        case click.ClickException():
            field = getattr(getattr(error, "param", None), "name", None)
            message = _usage(error)
            code = ExitCode.USAGE if error.exit_code == 2 else ExitCode.FAILED
            return Failure(code, "usage" if code is ExitCode.USAGE else "failed", message, field)
        case KeyboardInterrupt() | click.Abort():
            return Failure(ExitCode.INTERRUPTED, "interrupted", "Interrupted.")
    if "anyond.model.errors" not in sys.modules:
        return None  # then nobody has raised one of them
    return _client_failure(error)


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    message = error.format_message()
    return f"{message}\nSee `{context.command_path} --help`." if context is not None else message


def _client_failure(error: BaseException) -> Failure | None:
    from anyond.client import errors
    from anyond.model.errors import AnyondError, Kind
    from anyond.model.refusals.daemon import AlreadyRunning

    match error:
        case errors.DaemonNotFound():
            return Failure(ExitCode.NO_DAEMON, "no_daemon", str(error))
        case errors.DeadlinePassed():
            return Failure(ExitCode.TIME_IS_UP, "time_is_up", str(error))
        case errors.Unanswered():
            return Failure(ExitCode.NO_DAEMON, "no_daemon", str(error))
        case errors.StreamFailed():
            return Failure(ExitCode.FAILED, "stream_failed", str(error))
        case errors.Refused():
            code = {401: ExitCode.LOGIN, 403: ExitCode.LOGIN, 409: ExitCode.REFUSED}
            field = error.data.get("field")
            return Failure(
                code.get(error.http_status, ExitCode.FAILED),
                error.type or "refused",
                str(error),
                field if isinstance(field, str) else None,
                error.data,
            )
        case AlreadyRunning():
            return Failure(ExitCode.ALREADY_RUNNING, error.type or "already_running", str(error))
        case AnyondError():
            code_ = ExitCode.REFUSED if error.kind is Kind.CONFLICT else ExitCode.FAILED
            field = (error.data or {}).get("field")
            return Failure(
                code_, error.type or "failed", str(error), field if isinstance(field, str) else None
            )
    return None
