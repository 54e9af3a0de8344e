"""The command `stream`: any stream of the API, as it comes over its WebSocket."""

from __future__ import annotations

import sys

import click

from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import current, print_line


@click.command(
    cls=Verb,
    examples=(
        ("anyon stream /api/execution-processes/ID/normalized-logs/ws", "what an agent does"),
        ("anyon stream '/api/task-attempts/ID/diff/ws'", "its changes"),
    ),
)
@click.argument("path")
def stream(path: str) -> None:
    """Print the messages of a stream, one a line.

    PATH is that of a WebSocket of the API, with its query. It is not connected again when it
    breaks; for programs that need that there is the Python client.
    """
    from anyond.cli.rendering.harmless import harmless
    from anyond.client.errors import StreamFailed, Unanswered
    from anyond.client.refusals import refusal
    from anyond.client.websocket import Closed, Rejected, WebSocket

    if not path.startswith("/"):
        raise click.BadParameter("A path of the API begins with a slash.", param_hint="PATH")
    address = current().address()
    place = address.socket or address.url
    try:
        socket = WebSocket(address, path)
    except Rejected as rejected:
        raise refusal(rejected.status, rejected.content) from rejected
    except OSError as error:
        raise Unanswered(f"The daemon at {place} did not answer: {error}.") from error
    try:
        while True:
            message = socket.read()
            text = message if isinstance(message, str) else message.decode(errors="replace")
            print_line(harmless(text) if current().is_terminal else text)
            sys.stdout.flush()
    except Closed as closed:
        if closed.code != 1000:
            raise StreamFailed(closed.reason or "The stream broke off.") from closed
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise  # nobody reads any more: that is dealt with for all commands
        raise StreamFailed(f"The stream broke off: {error}.") from error
    finally:
        socket.close()
