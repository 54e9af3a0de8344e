"""Examples of the chapter System & Configuration."""

from __future__ import annotations

from anyond.api import system
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.configuration.settings import Config, Editor, EditorType, Executor, Theme
from anyond.model.http.answers import (
    AcpAgent,
    Availability,
    Capability,
    Environment,
    ExecutorConfigs,
    McpConfig,
    McpServersFound,
    ProfilesContent,
    UserSystemInfo,
    VariantForm,
)
from anyond.model.http.bodies import McpServers
from anyond.model.http.offers import Choice

_PLAN = {"DEFAULT": {Executor.CLAUDE_CODE: {"model": "opus", "plan": True}}}
_MCP = {"docs": {"command": "npx", "args": ["-y", "docs-server"]}}
_PLANNING = Choice(id="plan", name="Plan")

EXAMPLES: Examples = {
    system.GET_SYSTEM_INFO: Example(
        answer=UserSystemInfo(
            config=Config(),
            analytics_user_id=things.USER_ID,
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
        )
    ),
    system.UPDATE_CONFIGURATION: Example(
        send=Config(theme=Theme.DARK, editor=Editor(editor_type=EditorType.ZED)),
        answer=Config(theme=Theme.DARK, editor=Editor(editor_type=EditorType.ZED)),
    ),
    system.GET_EXECUTOR_PROFILES: Example(
        answer=ProfilesContent(
            content='{"executors": {}}', path="/home/ada/.config/anyon/profiles.json"
        )
    ),
    system.GET_THE_FORM_OF_A_VARIANT: Example(
        answer=VariantForm(
            executor=Executor.ACP,
            variant="DEFAULT",
            form={"type": "object", "properties": {"mode": {"examples": ["plan"]}}},
            modes=(_PLANNING,),
            models=(),
            more=0,
        )
    ),
    system.UPDATE_EXECUTOR_PROFILES: Example(
        send=ExecutorConfigs(executors={Executor.CLAUDE_CODE: _PLAN}),
        answer=ExecutorConfigs(executors={Executor.CLAUDE_CODE: _PLAN}),
    ),
    system.GET_MCP_SERVERS: Example(
        answer=McpServersFound(
            mcp_config=McpConfig(
                servers=_MCP,
                servers_path=("mcpServers",),
                template={"mcpServers": {}},
                preconfigured={},
                is_toml_config=False,
            ),
            config_path="/home/ada/.claude.json",
        )
    ),
    system.UPDATE_MCP_SERVERS: Example(
        send=McpServers(servers=_MCP), answer="Added 1 MCP server(s)"
    ),
}
