"""Signing in with a code that a person types on another device."""

from __future__ import annotations

from anyond.github.answers import DeviceCode, Grant
from anyond.github.client import GitHub
from anyond.model.refusals.remotes import RateLimited, Unexpected
from anyond.model.refusals.sign_in import DeviceFlowRefused

SCOPES = "repo workflow user:email"
"""To push (workflow files, too), to make pull requests, and to know the person's address."""

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_PAUSE_S = 60.0


async def begin(github: GitHub, client_id: str) -> DeviceCode:
    """Ask for a code.

    Raises:
        Conflict: `device_flow_refused`: GitHub does not know that client id, or its application
            does not allow this.
        RateLimited, Unreachable, Slow, Unexpected: see there.
    """
    answer = await github.form("/login/device/code", {"client_id": client_id, "scope": SCOPES})
    if answer.status == 429:
        raise RateLimited(_PAUSE_S)
    if answer.status == 404:
        raise DeviceFlowRefused("GitHub does not know the client id.")
    if answer.status >= 500:
        raise Unexpected("GitHub", f"status {answer.status}")
    grant = answer.decoded(Grant)
    if grant.error is not None:
        raise _refused(grant)
    return answer.decoded(DeviceCode)


async def ask(github: GitHub, client_id: str, device_code: str) -> Grant:
    """Ask whether the person has done it. A `Grant` has a token, or one of the errors
    `authorization_pending`, `slow_down`, `expired_token`, `access_denied`.

    Raises:
        Conflict: `device_flow_refused`.
        RateLimited, Unreachable, Slow, Unexpected: see there; it may be asked again.
    """
    fields = {"client_id": client_id, "device_code": device_code, "grant_type": _GRANT}
    answer = await github.form("/login/oauth/access_token", fields)
    if answer.status == 429:
        raise RateLimited(_PAUSE_S)
    if answer.status >= 500:
        raise Unexpected("GitHub", f"status {answer.status}")
    grant = answer.decoded(Grant)
    if grant.access_token is None and grant.error is None:
        raise Unexpected("GitHub", "neither a token nor an error")
    if grant.access_token is None and grant.error not in _WAITING:
        raise _refused(grant)
    return grant


_WAITING = {"authorization_pending", "slow_down", "expired_token", "access_denied"}


def _refused(grant: Grant) -> DeviceFlowRefused:
    why = grant.error_description or grant.error or "without a reason"
    return DeviceFlowRefused(f"GitHub refuses the sign-in: {why}", grant.error)
