"""The options that all commands have, and what follows from them: where to print, whom to ask."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyond.client import Address, BlockingClient


@dataclass
class Session:
    """One call of the command.

    Args:
        as_json: whether answers and errors are JSON.
        url: the daemon to ask; None finds it.
        color: `auto`, `always` or `never`.
        quiet: whether remarks beside the answer are left out.
        verbose: whether there are more of them.
    """

    as_json: bool = False
    url: str | None = None
    color: str = "auto"
    quiet: bool = False
    verbose: bool = False

    def address(self) -> Address:
        """The address of the daemon. Raises `DaemonNotFound`."""
        from anyond.client.address import find_daemon

        return find_daemon(self.url)

    @contextmanager
    def client(self) -> Iterator[BlockingClient]:
        """A client of the daemon, while inside. Raises `DaemonNotFound`."""
        from anyond.client.blocking import BlockingClient

        # One that was named stays; one that was found is found again after a restart.
        named = self.url or os.environ.get("ANYON_URL")
        with BlockingClient(self.address() if named else None) as client:
            yield client

    @property
    def is_terminal(self) -> bool:
        """True if a person reads what is printed, and not a program."""
        return sys.stdout.isatty() and not self.as_json

    @property
    def can_ask(self) -> bool:
        """True if a person is there to be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.as_json

    def colored(self, stream: Any = None) -> bool:
        """True if what is printed on `stream` (stdout without one) has colours."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
            return True
        stream = sys.stdout if stream is None else stream
        return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"

    def print_json(self, value: object) -> None:
        """One answer as JSON: indented on a terminal, one line elsewhere."""
        import msgspec

        encoded = msgspec.json.encode(value)
        if sys.stdout.isatty():
            encoded = msgspec.json.format(encoded, indent=2)
        print_line(encoded.decode())

    def print_json_line(self, value: object) -> None:
        """One of many values, each a line; sent at once."""
        import msgspec

        print_line(msgspec.json.encode(value).decode())
        sys.stdout.flush()

    def notice(self, text: str) -> None:
        """A remark beside the answer, on stderr."""
        if not self.quiet:
            click.echo(text, err=True)


def current() -> Session:
    """The session of this call."""
    return click.get_current_context().find_root().ensure_object(Session)


def print_line(text: str = "") -> None:
    """Print a line on stdout as it is; colours were decided before."""
    click.echo(text, color=True)


def common_options() -> list[click.Option]:
    """The options that can stand before and after the name of a command."""

    def option(*names: str, **more: Any) -> click.Option:
        attribute = names[0]
        return click.Option(
            names[1:], expose_value=False, callback=_remember(attribute), hidden=True, **more
        )

    return [
        option("as_json", "--json", is_flag=True, help="Answer, and fail, in JSON."),
        option("url", "--url", metavar="URL", help="The daemon: http://host:port or unix:/path."),
        option(
            "color",
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            help="Whether there are colours; auto: on terminals, unless NO_COLOR is set.",
        ),
        option("quiet", "-q", "--quiet", is_flag=True, help="No remarks on standard error."),
        option("verbose", "-v", "--verbose", is_flag=True, help="More of them."),
    ]


def _remember(attribute: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value not in (None, False):
            setattr(context.find_root().ensure_object(Session), attribute, value)

    return callback
