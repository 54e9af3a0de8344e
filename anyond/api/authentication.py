"""The chapter Authentication: signing in with GitHub."""

from __future__ import annotations

from anyond.api import problems
from anyond.api.endpoint import Call, Chapter
from anyond.api.params import Nothing
from anyond.model.answers import DeviceFlow

START_GITHUB_DEVICE_FLOW = Call(
    method="POST",
    path="/api/auth/github/device/start",
    summary="Start GitHub device flow",
    params=Nothing,
    answer=DeviceFlow,
    problems=(*problems.NETWORK, problems.CLIENT_ID_MISSING, problems.FLOW_REFUSED),
)
POLL_DEVICE_FLOW = Call(
    method="POST",
    path="/api/auth/github/device/poll",
    summary="Poll device flow",
    params=Nothing,
    text="`SUCCESS` once the code was entered: the token is kept then. Else"
    " `AUTHORIZATION_PENDING`, or `SLOW_DOWN` if this was asked too early.",
    answer=str,
    problems=(
        *problems.GITHUB,
        problems.NO_FLOW,
        problems.FLOW_REFUSED,
        problems.EXPIRED,
        problems.DENIED,
    ),
)
CHECK_GITHUB_TOKEN = Call(
    method="GET",
    path="/api/auth/github/check",
    summary="Check GitHub token",
    params=Nothing,
    text="`VALID`, or `INVALID`, also if there is none.",
    answer=str,
    problems=problems.GITHUB,
)

CHAPTER = Chapter(
    "Authentication",
    "Signing in with GitHub; the daemon itself has no accounts.",
    (
        START_GITHUB_DEVICE_FLOW,
        POLL_DEVICE_FLOW,
        CHECK_GITHUB_TOKEN,
    ),
)
