"""The chapter System & Configuration: settings, profiles, and what this machine is."""

from __future__ import annotations

import platform
import sys
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import trio
from quart import Blueprint, Response, request

from anyond.http import decode
from anyond.http.envelope import answer, cached
from anyond.http.query import executor_in, flag_in
from anyond.model.answers import Environment
from anyond.model.errors import Invalid
from anyond.model.settings import ExecutorProfileId

if TYPE_CHECKING:
    from anyond.actors.services import Services


def routes(services: Services) -> Blueprint:
    """`/api/info`, `/api/config`, `/api/profiles`, and what can be in these."""
    chapter = Blueprint("system", __name__)
    settings = services.settings

    @chapter.get("/api/info")
    async def info() -> Response:
        return cached(
            {
                "config": settings.config.public(),
                "analytics_user_id": settings.user_id,
                "executors": settings.profiles.executors(),
                "environment": _environment(),
                "capabilities": services.capabilities,
                "availability": await services.agents.availability(),
                "acp_agents": await services.agents.acp_agents(),
            }
        )

    @chapter.put("/api/config")
    async def configure() -> Response:
        wanted: object = await decode.body(dict[str, Any])
        # The disk is waited for in a thread; a client that goes away does not undo the change.
        await trio.to_thread.run_sync(settings.config.patch, wanted)
        return answer(settings.config.public())

    @chapter.get("/api/profiles")
    async def profiles() -> Response:
        found = settings.profiles
        return cached({"content": found.content(), "path": str(found.path)})

    @chapter.get("/api/profiles/form")
    async def form() -> Response:
        executor, variant = executor_in(request.args, "executor"), request.args.get("variant")
        profile = ExecutorProfileId(executor=executor, variant=variant)
        return cached(await services.forms.form(profile, request.args.get("agent")))

    @chapter.put("/api/profiles")
    async def change_profiles() -> Response:
        wanted = await decode.raw(text=True)
        if not wanted.strip():
            raise Invalid("body", "is empty; a JSON object is needed")
        replace = flag_in(request.args, "replace")
        update = partial(settings.profiles.update, wanted, replace=replace)
        return answer(await trio.to_thread.run_sync(update))

    return chapter


@cache
def _environment() -> Environment:
    """What the machine is, read once; without `platform.architecture`, which starts a program."""
    system = platform.system()
    version = platform.mac_ver()[0] if system == "Darwin" else platform.release()
    return Environment(
        os_type="Mac OS" if system == "Darwin" else system,
        os_version=version,
        os_architecture=platform.machine(),
        bitness="64-bit" if sys.maxsize > 2**32 else "32-bit",
    )
