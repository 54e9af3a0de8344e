"""What a reader of a feed hears of streams that cannot go on."""

from __future__ import annotations

import threading

import pytest

from anyond.cli.following.feed import Feed, StreamBroke
from anyond.client import BlockingClient, ClientError


class Torn:
    """A client whose streams end with an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def follow(self, *_: object) -> None:
        raise self._error


@pytest.mark.parametrize("error", [ClientError("away"), OSError("torn"), ValueError("no frame")])
def test_a_stream_that_ends_with_any_error_is_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    client: BlockingClient = Torn(error)  # type: ignore[assignment]
    feed = Feed(client)
    feed.follow_output("x")
    assert feed.take(10) == StreamBroke(error)
