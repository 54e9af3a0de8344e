"""The chapter Authentication: signing in with GitHub."""

from __future__ import annotations

from anyond.api.declaration.endpoint import Call, Chapter
from anyond.api.declaration.params import Nothing
from anyond.api.declaration.refusal_groups import GITHUB, NETWORK
from anyond.model.access import Scope
from anyond.model.http.answers import DeviceFlow
from anyond.model.refusals.sign_in import (
    AccessDenied,
    ClientIdMissing,
    DeviceFlowRefused,
    ExpiredToken,
    NoDeviceFlow,
)

START_GITHUB_DEVICE_FLOW = Call(
    method="POST",
    path="/api/auth/github/device/start",
    summary="Start GitHub device flow",
    granted_by=Scope.ADMIN,
    params=Nothing,
    answer=DeviceFlow,
    refusals=(*NETWORK, ClientIdMissing, DeviceFlowRefused),
)
POLL_DEVICE_FLOW = Call(
    method="POST",
    path="/api/auth/github/device/poll",
    summary="Poll device flow",
    granted_by=Scope.ADMIN,
    params=Nothing,
    text="`SUCCESS` once the code was entered: the token is kept then. Else"
    " `AUTHORIZATION_PENDING`, or `SLOW_DOWN` if this was asked too early.",
    answer=str,
    refusals=(
        *GITHUB,
        NoDeviceFlow,
        DeviceFlowRefused,
        ExpiredToken,
        AccessDenied,
    ),
)
CHECK_GITHUB_TOKEN = Call(
    method="GET",
    path="/api/auth/github/check",
    summary="Check GitHub token",
    params=Nothing,
    text="`VALID`, or `INVALID`, also if there is none.",
    answer=str,
    refusals=GITHUB,
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
