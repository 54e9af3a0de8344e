"""The chapter Authentication: signing in with GitHub."""

from __future__ import annotations

from anyond.api import authentication as api
from anyond.api.declaration.params import Nothing
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.answers import DeviceFlow


async def start_device_flow(backend: Backend, _: Nothing) -> DeviceFlow:
    code = await backend.services.sign_in.start()
    return DeviceFlow(
        user_code=code.user_code,
        verification_uri=code.verification_uri,
        expires_in=code.expires_in,
        interval=code.interval,
    )


async def poll_device_flow(backend: Backend, _: Nothing) -> str:
    return await backend.services.sign_in.poll()


async def check_token(backend: Backend, _: Nothing) -> str:
    return await backend.services.sign_in.check()


ROUTES = (
    route(api.START_GITHUB_DEVICE_FLOW, start_device_flow),
    route(api.POLL_DEVICE_FLOW, poll_device_flow),
    route(api.CHECK_GITHUB_TOKEN, check_token),
)
