"""The chapter System & Configuration: settings, profiles, MCP servers, sounds."""

from __future__ import annotations

import platform
import sys
from functools import cache, partial
from hashlib import blake2b
from typing import Any

import trio

from anyond.api import system as api
from anyond.api.declaration.checks import line
from anyond.api.declaration.params import Nothing
from anyond.files import sounds
from anyond.http.backend import Backend
from anyond.http.dispatch import Likeness, route
from anyond.http.views import FileAnswer
from anyond.model.configuration.settings import Config, ExecutorProfileId
from anyond.model.http.answers import (
    Environment,
    ExecutorConfigs,
    McpServersFound,
    ProfilesContent,
    UserSystemInfo,
    VariantForm,
)
from anyond.model.http.bodies import McpServers
from anyond.model.refusals.requests import Invalid
from anyond.operations import mcp


async def get_info(backend: Backend, _: Nothing) -> Likeness[UserSystemInfo]:
    services, settings = backend.services, backend.services.settings
    return Likeness(
        UserSystemInfo,
        {
            "config": settings.config.public(),
            "analytics_user_id": settings.user_id,
            "executors": settings.profiles.executors(),
            "environment": _environment(),
            "capabilities": services.capabilities,
            "availability": await services.agents.availability(),
            "acp_agents": await services.agents.acp_agents(),
        },
    )


async def update_config(backend: Backend, _: Nothing, body: dict[str, Any]) -> Likeness[Config]:
    config = backend.services.settings.config
    # The disk is waited for in a thread; a client that goes away does not undo the change.
    await trio.to_thread.run_sync(config.patch, body)
    return Likeness(Config, config.public())


async def get_profiles(backend: Backend, _: Nothing) -> ProfilesContent:
    profiles = backend.services.settings.profiles
    return ProfilesContent(content=profiles.content(), path=str(profiles.path))


async def get_form(backend: Backend, params: api.OfVariant) -> VariantForm:
    profile = ExecutorProfileId(executor=params.executor, variant=params.variant)
    return await backend.services.forms.form(profile, params.agent)


async def update_profiles(
    backend: Backend, params: api.Replace, body: bytes
) -> Likeness[ExecutorConfigs]:
    if not body.strip():
        raise Invalid("body", "is empty; a JSON object is needed")
    update = partial(backend.services.settings.profiles.update, body, replace=params.replace)
    return Likeness(ExecutorConfigs, await trio.to_thread.run_sync(update))


async def get_mcp_servers(_: Backend, params: api.OfExecutor) -> McpServersFound:
    return await mcp.read(params.executor)


async def update_mcp_servers(_: Backend, params: api.OfExecutor, body: McpServers) -> str:
    for name, server in body.servers.items():
        line(name, "servers")
        if not isinstance(server, dict):
            raise Invalid(f"servers.{name}", "must be an object")
    return await mcp.write(params.executor, body.servers)


async def get_sound(_: Backend, params: api.OfSound) -> FileAnswer:
    content = await trio.to_thread.run_sync(sounds.wav, params.sound)
    etag = blake2b(content, digest_size=16).hexdigest()
    keep = {"Cache-Control": "private, max-age=86400"}
    return FileAnswer(content, "audio/wav", etag, keep)


@cache
def _environment() -> Environment:
    """Return the facts of the machine, read once; without `platform.architecture`, which starts a
    program.
    """
    system = platform.system()
    version = platform.mac_ver()[0] if system == "Darwin" else platform.release()
    return Environment(
        os_type="Mac OS" if system == "Darwin" else system,
        os_version=version,
        os_architecture=platform.machine(),
        bitness="64-bit" if sys.maxsize > 2**32 else "32-bit",
    )


ROUTES = (
    route(api.GET_SYSTEM_INFO, get_info),
    route(api.UPDATE_CONFIGURATION, update_config),
    route(api.GET_EXECUTOR_PROFILES, get_profiles),
    route(api.GET_THE_FORM_OF_A_VARIANT, get_form),
    route(api.UPDATE_EXECUTOR_PROFILES, update_profiles),
    route(api.GET_MCP_SERVERS, get_mcp_servers),
    route(api.UPDATE_MCP_SERVERS, update_mcp_servers),
    route(api.GET_SOUND_FILE, get_sound),
)
