"""Opening a session of the Agent Client Protocol: a new one, or the former one again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from anyond import __version__
from anyond.agents.acp.conversation.entries import AcpEntries
from anyond.agents.acp.errors import demands_login, is_login
from anyond.agents.acp.session.options import AcpOptions
from anyond.agents.acp.session.quirks import QUIRKS, Quirks
from anyond.agents.acp.session.session_config import OptionRequest, option_requests
from anyond.agents.common.core import SessionStarted, Turn
from anyond.agents.json_rpc.jsonrpc import (
    METHOD_NOT_FOUND,
    Fault,
    Link,
    Response,
    as_dict,
    as_list,
    as_text,
)
from anyond.agents.json_rpc.rpc_errors import rpc_error_text


class Handshake:
    """The steps before the prompt: each is queued when the answer to the last one is read.

    Attributes:
        name: what the agent calls itself.
        logins: the ways to log in that it offers.
        quirks: what it does in its own way.
        replaying: it repeats an old conversation that is already known.
        repeated: how many updates of that there were.
        loaded: the session is the former one, with its conversation.
        answers: how many of its steps have been answered.
        forgotten: the former session was wanted and could not be had.
        session: the id of the session, once there is one.
        done: the prompt can be sent.
        logged_in: the agent has logged in since it refused a prompt.
    """

    def __init__(self, turn: Turn, options: AcpOptions, link: Link, entries: AcpEntries) -> None:
        self._turn = turn
        self._options = options
        self._link = link
        self._entries = entries
        self._can_load = False
        self._option_requests: list[OptionRequest] = []
        self._refused: tuple[str, Fault] | None = None
        self.name = "The agent"
        self.logins: list[Any] = []
        self.quirks = Quirks()
        self.replaying = False
        self.repeated = 0
        self.answers = 0
        self.loaded = False
        self.forgotten = False
        self.session: str | None = None
        self.done = False
        self.logged_in = False
        link.request(
            "initialize",
            {
                "protocolVersion": 1,
                "clientCapabilities": {
                    "fs": {"readTextFile": False, "writeTextFile": False},
                    "terminal": False,
                    # Otherwise an agent tells its own news in the voice of the model.
                    "session": {"notices": {}},
                },
                "clientInfo": {"name": "anyon", "title": "Anyon", "version": __version__},
            },
        )

    def sent(self, method: str) -> None:
        """The agent was asked for `method`."""
        self.replaying = self.replaying or method in ("session/load", "session/resume")

    def answered(self, method: str, response: Response) -> Fault | None:
        """Take in the answer to a step; an error if there can be no session."""
        self.answers += 1
        step = _STEPS.get(method)
        return step(self, response, method) if step is not None else None

    def _initialized(self, response: Response, method: str) -> Fault | None:
        if response.fault is not None:
            return response.fault
        result = as_dict(response.result)
        info = as_dict(result.get("agentInfo"))
        name = as_text(info.get("name"))
        self.name = as_text(info.get("title")) or name or self.name
        self.quirks = QUIRKS.get(name, self.quirks)
        self.logins = as_list(result.get("authMethods"))
        abilities = as_dict(result.get("agentCapabilities"))
        self._can_load = abilities.get("loadSession") is True
        resume = as_dict(abilities.get("sessionCapabilities")).get("resume")
        if self._turn.session_id is None:
            self._new_session()
        elif self._options.resume is False:
            self._forget("the variant says so")
        elif resume not in (None, False) and not self.quirks.only_loads:
            self._old_session("session/resume")
        elif self._can_load:
            self._old_session("session/load")
        else:
            self._forget(f"{self.name} cannot do that")
        return None

    def _new_session(self) -> None:
        self._link.request("session/new", {"cwd": self._turn.cwd, "mcpServers": []})

    def _old_session(self, method: str) -> None:
        former = {"sessionId": self._turn.session_id}
        self._link.request(method, {**former, "cwd": self._turn.cwd, "mcpServers": []})

    def _forget(self, reason: str) -> None:
        self._report_lost_session(reason)
        self._new_session()

    def _report_lost_session(self, reason: str) -> None:
        self.forgotten = True
        self._entries.usage.begins_anew()
        self._entries.system(
            f"The former session could not be resumed: {reason.rstrip('.')}. "
            "The agent starts anew and does not remember the conversation so far."
        )

    def logs_in(self, fault: Fault | None, method: str) -> bool:
        """Return whether the agent is asked to log in, once, before it is asked for `method`
        again.
        """
        if fault is None or not demands_login(fault) or self._refused is not None:
            return False
        chosen = self._options.login_method(self.logins)
        ids = [id for login in self.logins if (id := as_text(as_dict(login).get("id")))]
        if chosen is None:
            return False
        if chosen not in ids:
            offer = f"it offers {', '.join(ids)}" if ids else "it offers none"
            self._entries.system(f"The agent does not know the login {chosen!r}; {offer}.")
            return False
        self._refused = method, fault
        self._link.request("authenticate", {"methodId": chosen})
        return True

    def _authenticated(self, response: Response, method: str) -> Fault | None:
        if self._refused is None:
            return None
        method, fault = self._refused
        if response.fault is not None:
            reason = rpc_error_text(response.fault).rstrip(".")
            self._entries.system(f"{self.name} could not log in by itself: {reason}.")
            return fault
        if method == "session/new":
            self._new_session()
        elif method == "session/prompt":
            self.logged_in = True
        else:
            self._old_session(method)
        return None

    def _session_resumed(self, response: Response, method: str) -> None:
        self.replaying = False
        if self.logs_in(response.fault, method):
            return
        if response.fault is None:
            self.loaded = method == "session/load"
            if self.loaded and self.quirks.loads_anything and not self.repeated:
                self._report_lost_session("the agent has nothing of it")
            self._started(self._turn.session_id or "", as_dict(response.result))
        elif method == "session/resume" and self._can_load:
            # One agent announces `resume` and does not know it.
            self._old_session("session/load")
        else:
            self._forget(rpc_error_text(response.fault))

    def _session_made(self, response: Response, method: str) -> Fault | None:
        if self.logs_in(response.fault, method):
            return None
        if response.fault is not None:
            return response.fault
        session = as_text(as_dict(response.result).get("sessionId"))
        if not session:
            return Fault(0, "The agent made a session without an id.")
        self._started(session, as_dict(response.result))
        return None

    def _started(self, session: str, result: Mapping[str, Any]) -> None:
        self.session = session
        self._entries.emit(SessionStarted(session))
        self._entries.session_reported(result)
        self._option_requests, missing = option_requests(self._options, result, self.quirks)
        for complaint in missing:
            self._entries.system(complaint)
        self._send_next_option()

    def _send_next_option(self) -> None:
        if self._option_requests:
            request = self._option_requests[0]
            self._link.request(request.method, {"sessionId": self.session, **request.params})
        else:
            self.done = True

    def _option_answered(self, response: Response, method: str) -> None:
        if self._option_requests:
            request = self._option_requests.pop(0)
            fault = response.fault
            if fault is None:
                self._entries.session_reported(as_dict(response.result))
            elif fault.code == METHOD_NOT_FOUND and request.otherwise is not None:
                self._option_requests.insert(0, request.otherwise)
            else:
                self._entries.error(request.refusal(fault), setup=is_login(fault))
            self._send_next_option()


# Not of the object: it would hold itself, and all that it has read for as long as nobody looks.
_STEPS: dict[str, Callable[[Handshake, Response, str], Fault | None]] = {
    "initialize": Handshake._initialized,
    "authenticate": Handshake._authenticated,
    "session/new": Handshake._session_made,
    "session/resume": Handshake._session_resumed,
    "session/load": Handshake._session_resumed,
    "session/set_mode": Handshake._option_answered,
    "session/set_model": Handshake._option_answered,
    "session/set_config_option": Handshake._option_answered,
}
