"""The signals that stop the daemon, received so that none is lost and none ends it halfway."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import trio


class StopSignals:
    """The signals that have come since they were first received."""

    def __init__(self, received: AsyncIterator[int]) -> None:
        self._received = received

    async def next(self) -> str:
        """Wait for one, and name it, as in `SIGTERM`."""
        return signal.Signals(await anext(self._received)).name

    async def forget(self) -> None:
        """Drop those that came while the daemon stopped.

        Trio delivers what was not looked at again, to a process that has stopped already.
        """
        with trio.move_on_after(0.01):
            async for _ in self._received:
                pass


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Receive SIGTERM, SIGINT, and SIGHUP unless it is ignored (`nohup`); ignore them afterwards.

    After the block nothing is started any more, but Python takes a while yet to end.
    """
    endings = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        endings.append(signal.SIGHUP)
    # What the receiver puts back when it is closed. Not SIG_IGN, which programs would inherit.
    signal.pthread_sigmask(signal.SIG_BLOCK, endings)
    for ending in endings:
        signal.signal(ending, _has_stopped)
    with trio.open_signal_receiver(*endings) as received:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, endings)
        yield StopSignals(received)
    for ending in endings:
        signal.signal(ending, signal.SIG_IGN)


def _has_stopped(_number: int, _frame: object) -> None:
    """To be told so again makes nothing of a stop that went well."""
