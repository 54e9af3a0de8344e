"""Prompts and cancellations to an agent, held back until it can understand them."""

from __future__ import annotations

from anyond.agents.acp.handshake import Handshake
from anyond.agents.json_rpc.jsonrpc import Link


class Outbox:
    """The messages that are to be sent in one run.

    Attributes:
        opened: there is a session, and its first prompt is queued.
    """

    def __init__(self, link: Link, handshake: Handshake) -> None:
        self._link = link
        self._handshake = handshake
        self._held: list[str] = []
        self._cancel_asked = False
        self._turn_over = False
        self.opened = False

    def open(self, texts: list[str]) -> None:
        """Queue the first prompt, and after it all that was held back."""
        self.opened = True
        self.prompt(texts)
        self._send_held()
        self._send_cancel()

    def prompt(self, texts: list[str], automatic: bool = True) -> None:
        """Queue a prompt; `automatic` if a replay queues it again by itself."""
        blocks = [{"type": "text", "text": text} for text in texts]
        params = {"sessionId": self._handshake.session, "prompt": blocks}
        self._link.request("session/prompt", params, automatic)

    def add(self, text: str) -> None:
        """Queue what a person says meanwhile, as soon as there is a session."""
        self._held.append(text)
        self._send_held()

    def cancel(self) -> None:
        """Queue the order to stop, as soon as there is something to be stopped."""
        self._cancel_asked = True
        self._send_cancel()

    def prompt_sent(self) -> None:
        """A prompt has been sent."""
        self._turn_over = False

    def cancel_sent(self) -> None:
        """The order to stop has been sent."""
        self._cancel_asked = False

    def turn_ended(self) -> None:
        """There is nothing to be stopped any more."""
        self._turn_over = True
        self._cancel_asked = False

    def _send_held(self) -> None:
        if self.opened:
            for text in self._held:
                self.prompt([text], automatic=False)
            self._held.clear()

    def _send_cancel(self) -> None:
        if self._cancel_asked and self.opened and not self._turn_over:
            self._cancel_asked = False
            self._link.notify("session/cancel", {"sessionId": self._handshake.session})
