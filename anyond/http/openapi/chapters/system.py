"""Declarations of the chapters Health, System & Configuration, Sounds, and of these pages."""

from __future__ import annotations

from anyond.http.openapi import examples, problems
from anyond.http.openapi.operation import Chapter, Download, Operation, Parameter, needed
from anyond.http.routes.mcp import McpServers
from anyond.model.answers import (
    AcpAgent,
    Availability,
    Capability,
    Environment,
    ExecutorConfigs,
    Health,
    McpConfig,
    McpServersFound,
    ProfilesContent,
    UserSystemInfo,
    VariantForm,
)
from anyond.model.offers import Choice
from anyond.model.settings import Config, Editor, EditorType, Executor, SoundFile, Theme

_OK = Health(status="ok")
_PLAN = {"DEFAULT": {Executor.CLAUDE_CODE: {"model": "opus", "plan": True}}}
_MCP = {"docs": {"command": "npx", "args": ["-y", "docs-server"]}}
_PLANNING = Choice(id="plan", name="Plan")
_AGENT = needed("executor", Executor, "Which agent.", Executor.CLAUDE_CODE)

HEALTH = Chapter(
    "Health",
    "Whether the daemon answers at all.",
    (
        Operation(
            method="GET",
            path="/health",
            summary="Check health",
            text="Bare, without the envelope.",
            answer=Health,
            example=_OK,
            bare=True,
        ),
        Operation(
            method="GET",
            path="/api/health",
            summary="Check API health",
            answer=Health,
            example=_OK,
        ),
    ),
)

SYSTEM = Chapter(
    "System & Configuration",
    "Settings, profiles of agents, and what this machine is.",
    (
        Operation(
            method="GET",
            path="/api/info",
            summary="Get system info",
            answer=UserSystemInfo,
            example=UserSystemInfo(
                config=Config(),
                analytics_user_id=examples.USER_ID,
                executors={Executor.CLAUDE_CODE: _PLAN},
                environment=Environment(
                    os_type="Linux", os_version="6.8.0", os_architecture="x86_64", bitness="64-bit"
                ),
                capabilities={Executor.CLAUDE_CODE: [Capability.SESSION_FORK, Capability.STEER]},
                availability={
                    Executor.CLAUDE_CODE: Availability(
                        available=True, path="/usr/local/bin/claude", version="2.1.197"
                    )
                },
                acp_agents=[
                    AcpAgent(
                        id="kilo",
                        name="Kilo",
                        available=True,
                        path="/usr/local/bin/kilo",
                        command=("kilo", "acp"),
                        install="Install it with `npm install -g @kilocode/cli`.",
                        website="https://kilo.ai/",
                        modes=(_PLANNING,),
                    )
                ],
            ),
            cached=True,
        ),
        Operation(
            method="PUT",
            path="/api/config",
            summary="Update configuration",
            text="Objects are merged key by key: what is left out stays, and unknown keys are"
            " kept. Secrets are never sent back; `********` in their place keeps them.",
            body=Config,
            send=Config(theme=Theme.DARK, editor=Editor(editor_type=EditorType.ZED)),
            answer=Config,
            example=Config(theme=Theme.DARK, editor=Editor(editor_type=EditorType.ZED)),
        ),
        Operation(
            method="GET",
            path="/api/profiles",
            summary="Get executor profiles",
            text="All variants of all agents, as a JSON text for people to edit.",
            answer=ProfilesContent,
            example=ProfilesContent(
                content='{"executors": {}}', path="/home/ada/.config/anyon/profiles.json"
            ),
            cached=True,
        ),
        Operation(
            method="GET",
            path="/api/profiles/form",
            summary="Get the form of a variant",
            text="A JSON schema of the options that a variant of an agent can have, with the modes"
            " and models that the agent has offered when it was at work last.",
            query=(
                _AGENT,
                Parameter("variant", str, "Which variant; DEFAULT if none is named.", "DEFAULT"),
                Parameter(
                    "agent",
                    str,
                    "The value that the option `agent` of ACP is about to have.",
                    "kilo",
                ),
            ),
            answer=VariantForm,
            example=VariantForm(
                executor=Executor.ACP,
                variant="DEFAULT",
                form={"type": "object", "properties": {"mode": {"examples": ["plan"]}}},
                modes=(_PLANNING,),
                models=(),
                more=0,
            ),
            cached=True,
            problems=(problems.IMPOSSIBLE,),
        ),
        Operation(
            method="PUT",
            path="/api/profiles",
            summary="Update executor profiles",
            text="A variant replaces the one of its name; null takes it away, or brings back the"
            " built-in one. What is not named stays, unless the set is meant to `replace` what is"
            " stored. The text that GET gives is taken as well.",
            query=(
                Parameter(
                    "replace", bool, "Whether a variant of one's own that is not named goes.", False
                ),
            ),
            body=ExecutorConfigs,
            send=ExecutorConfigs(executors={Executor.CLAUDE_CODE: _PLAN}),
            answer=ExecutorConfigs,
            example=ExecutorConfigs(executors={Executor.CLAUDE_CODE: _PLAN}),
        ),
        Operation(
            method="GET",
            path="/api/mcp-config",
            summary="Get MCP servers",
            text="The servers of tools that an agent has, from that agent's own configuration.",
            query=(_AGENT,),
            answer=McpServersFound,
            example=McpServersFound(
                mcp_config=McpConfig(
                    servers=_MCP,
                    servers_path=("mcpServers",),
                    template={"mcpServers": {}},
                    preconfigured={},
                    is_toml_config=False,
                ),
                config_path="/home/ada/.claude.json",
            ),
            cached=True,
            problems=(problems.IMPOSSIBLE, problems.BROKEN_CONFIG),
        ),
        Operation(
            method="POST",
            path="/api/mcp-config",
            summary="Update MCP servers",
            text="Replaces all servers of the agent; the rest of its file stays as it is.",
            query=(_AGENT,),
            body=McpServers,
            send=McpServers(servers=_MCP),
            answer=str,
            example="Added 1 MCP server(s)",
            problems=(
                problems.IMPOSSIBLE,
                problems.BROKEN_CONFIG,
                problems.CHANGED_MEANWHILE,
            ),
        ),
        Operation(
            method="GET",
            path="/api/sounds/{sound}",
            summary="Get sound file",
            key=Parameter(
                "sound", SoundFile, "Which sound.", SoundFile.ABSTRACT_SOUND1, True, "path"
            ),
            download=Download(("audio/wav",), "The sound."),
            problems=(problems.NOT_FOUND,),
        ),
    ),
)

DESCRIPTION = Chapter(
    "Description",
    "What you are reading.",
    (
        Operation(
            method="GET",
            path="/openapi.json",
            summary="Get this description",
            text="OpenAPI 3.1, bare.",
            download=Download(("application/json",), "The description."),
        ),
        Operation(
            method="GET",
            path="/docs",
            summary="Browse this description",
            download=Download(("text/html",), "A page for people."),
        ),
    ),
)
