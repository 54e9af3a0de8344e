"""Signing in with GitHub: whose code is asked about, and whether a token is good."""

from __future__ import annotations

import structlog
import trio
from msgspec import Struct

from anyond.github import sign_in
from anyond.github.answers import DeviceCode
from anyond.github.client import usable
from anyond.machines.sign_in import (
    Event,
    GitHubAnswered,
    Polled,
    Report,
    SignInMachine,
    Standing,
)
from anyond.model.errors import AnyondError
from anyond.model.refusals.remotes import (
    InsufficientPermissions,
    TokenInvalid,
    TokenMissing,
    Unexpected,
)
from anyond.model.refusals.sign_in import AccessDenied, ClientIdMissing, ExpiredToken, NoDeviceFlow
from anyond.operations.branch import publish
from anyond.operations.resources import Resources

log = structlog.get_logger()

_REFUSALS = {Standing.EXPIRED: ExpiredToken, Standing.DENIED: AccessDenied}


class _Flow(Struct):
    client_id: str
    device_code: str
    machine: SignInMachine
    token: str | None = None  # GitHub gives it once; it is kept until it is on the disk

    def report(self, event: Event) -> Standing | None:
        """Return the status after `event`; None if GitHub is to be asked."""
        for command in self.machine.handle(event):
            if isinstance(command, Report):
                return command.standing
        return None


class GitHubSignIn:
    """One sign-in at a time, for whoever asks; a new one replaces the last."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._flow: _Flow | None = None
        self._turn = trio.Lock()

    async def start(self) -> DeviceCode:
        """Ask GitHub for a code that the person enters there.

        Raises:
            Conflict: `client_id_missing`, `device_flow_refused`.
            AnyondError: see `github.sign_in`.
        """
        client_id = self._resources.github.site.client_id
        if client_id is None:
            raise ClientIdMissing
        code = await sign_in.begin(self._resources.github, client_id)
        machine = SignInMachine(trio.current_time() + code.expires_in, code.interval)
        self._flow = _Flow(client_id, code.device_code, machine)
        return code

    async def poll(self) -> str:
        """`SUCCESS` when the token is stored, `AUTHORIZATION_PENDING`, or `SLOW_DOWN`.

        GitHub is not asked more often than it allows, however often this is.

        Raises:
            Conflict: `no_device_flow`, `expired_token`, `access_denied`, `device_flow_refused`.
            AnyondError: see `github.sign_in`; it may be asked again.
        """
        async with self._turn:
            flow = self._flow
            if flow is None:
                raise NoDeviceFlow
            # The token is handed out once: whoever goes away now must not take it along.
            with trio.CancelScope(shield=True):
                standing = await self._ask(flow)
        if standing in _REFUSALS:
            raise _REFUSALS[standing]()
        return standing.value

    async def check(self) -> str:
        """`VALID` if GitHub accepts the token, else `INVALID`, as it is without one.

        Raises:
            AnyondError: GitHub did not tell; see `GitHub`.
        """
        try:
            await self._resources.github.user(publish.token(self._resources))
        except (TokenMissing, TokenInvalid, InsufficientPermissions):
            return "INVALID"
        return "VALID"

    async def _ask(self, flow: _Flow) -> Standing:
        if flow.token is None:
            known = flow.report(Polled(trio.current_time()))
            if known is not None:
                return known
            grant = await sign_in.ask(self._resources.github, flow.client_id, flow.device_code)
            if grant.access_token is None:
                answered = GitHubAnswered(grant.error, grant.interval, trio.current_time())
                return flow.report(answered) or Standing.PENDING
            if not usable(grant.access_token):
                raise Unexpected("GitHub", "a token that cannot be one")
            flow.token = grant.access_token
        await self._store(flow.token)
        flow.token = None
        answered = GitHubAnswered(None, None, trio.current_time())
        return flow.report(answered) or Standing.SUCCESS

    async def _store(self, token: str) -> None:
        """First the token; then whose it is and what it replaces, which may fail without harm."""
        mine = {"oauth_token": token, "username": None, "primary_email": None}
        await self._patch({"github": mine, "github_login_acknowledged": True})
        github = self._resources.github
        try:
            user = await github.user(token)
            await self._patch({"github": {"username": user.login, "primary_email": user.email}})
            email = await github.primary_email(token)
            if email is not None:
                await self._patch({"github": {"primary_email": email}})
        except AnyondError as error:
            log.warning("signed_in_as_unknown", why=str(error))
        await self._make_room()

    async def _make_room(self) -> None:
        """Forget a `github.pat` that GitHub does not know any more.

        It counts for more than a sign-in, so that whoever signs in because it has expired would
        have signed in for nothing.
        """
        pat = (self._resources.config.config.github.pat or "").strip()
        if not pat:
            return
        try:
            if usable(pat):
                await self._resources.github.user(pat)
                return
        except TokenInvalid:
            pass
        except AnyondError as error:
            log.warning("token_not_checked", why=str(error))
            return
        await self._patch({"github": {"pat": None}})
        log.info("token_forgotten", why="GitHub does not know github.pat any more.")

    async def _patch(self, change: dict[str, object]) -> None:
        await trio.to_thread.run_sync(self._resources.config.patch, change)
