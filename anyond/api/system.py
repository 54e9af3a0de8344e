"""The chapter System & Configuration: settings, profiles, MCP servers, sounds."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter, Download
from anyond.api.declaration.params import Nothing
from anyond.model.access import Scope
from anyond.model.configuration.settings import Config, Executor, SoundFile
from anyond.model.http.answers import (
    ExecutorConfigs,
    McpServersFound,
    ProfilesContent,
    UserSystemInfo,
    VariantForm,
)
from anyond.model.http.bodies import McpServers
from anyond.model.refusals.files import BrokenConfig, ChangedMeanwhile
from anyond.model.refusals.requests import Impossible, NotFound


class Replace(Struct, frozen=True, kw_only=True):
    """Requests that change the profiles."""

    replace: Annotated[
        bool,
        Meta(
            description="Whether a variant of one's own that is not named goes.", examples=[False]
        ),
    ] = False


class OfExecutor(Struct, frozen=True, kw_only=True):
    """Requests for what one agent has of its own."""

    executor: Annotated[
        Executor,
        Meta(
            description="Which agent.",
            examples=[Executor.CLAUDE_CODE],
            extra={"hint": "<agent>"},
        ),
    ]


class OfVariant(OfExecutor, frozen=True, kw_only=True):
    """Requests for what the options of a variant can be."""

    variant: (
        Annotated[
            str,
            Meta(description="Which variant; DEFAULT if none is named.", examples=["DEFAULT"]),
        ]
        | None
    ) = None
    agent: (
        Annotated[
            str,
            Meta(
                description="The value that the option `agent` of ACP is about to have.",
                examples=["kilo"],
            ),
        ]
        | None
    ) = None


class OfSound(Struct, frozen=True, kw_only=True):
    """Requests for one sound."""

    sound: Annotated[
        SoundFile, Meta(description="Which sound.", examples=[SoundFile.ABSTRACT_SOUND1])
    ]


GET_SYSTEM_INFO = Call(
    method="GET",
    path="/api/info",
    summary="Get system info",
    params=Nothing,
    answer=UserSystemInfo,
    cached=True,
)
UPDATE_CONFIGURATION = BodyCall(
    method="PUT",
    path="/api/config",
    summary="Update configuration",
    granted_by=Scope.ADMIN,
    params=Nothing,
    text="Objects are merged key by key: what is left out stays, and unknown keys are"
    " kept. Secrets are never sent back; `********` in their place keeps them.",
    body=dict[str, Any],
    described=Config,
    answer=Config,
)
GET_EXECUTOR_PROFILES = Call(
    method="GET",
    path="/api/profiles",
    summary="Get executor profiles",
    params=Nothing,
    text="All variants of all agents, as a JSON text for people to edit.",
    answer=ProfilesContent,
    cached=True,
)
GET_THE_FORM_OF_A_VARIANT = Call(
    method="GET",
    path="/api/profiles/form",
    summary="Get the form of a variant",
    params=OfVariant,
    text="A JSON schema of the options that a variant of an agent can have, with the modes"
    " and models that the agent has offered when it was at work last.",
    answer=VariantForm,
    cached=True,
    refusals=(Impossible,),
)
UPDATE_EXECUTOR_PROFILES = BodyCall(
    method="PUT",
    path="/api/profiles",
    summary="Update executor profiles",
    granted_by=Scope.ADMIN,
    params=Replace,
    text="A variant replaces the one of its name; null takes it away, or brings back the"
    " built-in one. What is not named stays, unless the set is meant to `replace` what is"
    " stored. The text that GET gives is taken as well.",
    body=bytes,
    described=ExecutorConfigs,
    answer=ExecutorConfigs,
)
GET_MCP_SERVERS = Call(
    method="GET",
    path="/api/mcp-config",
    summary="Get MCP servers",
    granted_by=Scope.ADMIN,
    params=OfExecutor,
    text="The servers of tools that an agent has, from that agent's own configuration.",
    answer=McpServersFound,
    cached=True,
    refusals=(Impossible, BrokenConfig),
)
UPDATE_MCP_SERVERS = BodyCall(
    method="POST",
    path="/api/mcp-config",
    summary="Update MCP servers",
    granted_by=Scope.ADMIN,
    params=OfExecutor,
    text="Replaces all servers of the agent; the rest of its file stays as it is.",
    body=McpServers,
    answer=str,
    refusals=(
        Impossible,
        BrokenConfig,
        ChangedMeanwhile,
    ),
)
GET_SOUND_FILE = Download(
    method="GET",
    path="/api/sounds/{sound}",
    summary="Get sound file",
    params=OfSound,
    media_types=("audio/wav",),
    content="The sound.",
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "System & Configuration",
    "Settings, profiles of agents, and what this machine is.",
    (
        GET_SYSTEM_INFO,
        UPDATE_CONFIGURATION,
        GET_EXECUTOR_PROFILES,
        GET_THE_FORM_OF_A_VARIANT,
        UPDATE_EXECUTOR_PROFILES,
        GET_MCP_SERVERS,
        UPDATE_MCP_SERVERS,
        GET_SOUND_FILE,
    ),
)
