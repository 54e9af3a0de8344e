"""What each real agent of the Agent Client Protocol needs to talk to the scripted model only."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.daemon import Daemon
from tests.support.fakes.servers.serving import serving
from tests.support.real_agents import claude_cli, codex_cli, npm_cache, pip_cache
from tests.support.real_agents.claude_cli import Person

KEY = "sk-of-the-tests-0123456789"
MODEL = "scripted"


@dataclass(frozen=True)
class Actor:
    """One real agent.

    Args:
        program: its name among the pinned ones.
        executor: as the API calls it.
        prepare: writes what it wants below its home; gives its environment. Both are told the
            address of the model.
        usage: it tells what it has used.
        output: it tells what its commands print.
        exit_code: it tells how they end.
        options: of each variant, besides those that are built in.
    """

    program: str
    executor: str
    prepare: Callable[[Path, str], dict[str, str]]
    usage: bool = True
    output: bool = True
    exit_code: bool = True
    options: tuple[tuple[str, dict[str, Any]], ...] = (("DEFAULT", {}), ("APPROVALS", {}))

    def command(self) -> str:
        """The pinned program as a `base_command_override`; may raise `CannotInstall`."""
        cache = pip_cache if self.program in pip_cache.PINNED else npm_cache
        return shlex.quote(str(cache.program(self.program)))


def _settings(home: Path, file: str, content: object) -> None:
    path = home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def _gemini(home: Path, url: str) -> dict[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
    }
    _settings(home, ".gemini/settings.json", settings)
    reported = {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": KEY}
    return {**reported, "GEMINI_MODEL": "gemini-2.5-pro"}


def _qwen(home: Path, url: str) -> dict[str, str]:
    settings = {
        "security": {"auth": {"selectedType": "openai"}},
        "general": {"enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
    }
    _settings(home, ".qwen/settings.json", settings)
    return {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": KEY, "OPENAI_MODEL": MODEL}


def _copilot(home: Path, url: str) -> dict[str, str]:
    provider = {"COPILOT_PROVIDER_BASE_URL": f"{url}/v1", "COPILOT_PROVIDER_API_KEY": KEY}
    return {**provider, "COPILOT_MODEL": MODEL, "COPILOT_OFFLINE": "true"}


def _droid(home: Path, url: str) -> dict[str, str]:
    model = {
        "model": MODEL,
        "displayName": "Scripted",
        "baseUrl": f"{url}/v1",
        "apiKey": KEY,
        "provider": "generic-chat-completion-api",
        "maxOutputTokens": 4096,
    }
    settings = {"customModels": [model], "model": "custom:Scripted-0"}
    _settings(home, ".factory/settings.json", settings)
    return {
        "FACTORY_AIRGAP_ENABLED": "1",
        "FACTORY_DISABLE_KEYRING": "1",
        "FACTORY_DROID_AUTO_UPDATE_ENABLED": "false",
    }


def _opencode(home: Path, url: str) -> dict[str, str]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {MODEL: {}},
    }
    settings = {
        "provider": {"tests": provider},
        "model": f"tests/{MODEL}",
        "small_model": f"tests/{MODEL}",
        "enabled_providers": ["tests"],
        "autoupdate": False,
    }
    _settings(home, ".config/opencode/opencode.json", settings)
    return {
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        # It fetches parts of itself; here it finds nobody, and does without.
        "npm_config_registry": "http://127.0.0.1:9",
    }


def _kilo(home: Path, url: str) -> dict[str, str]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {MODEL: {}},
    }
    settings = {
        "provider": {"tests": provider},
        "model": f"tests/{MODEL}",
        "small_model": f"tests/{MODEL}",
        "enabled_providers": ["tests"],
        "autoupdate": False,
        "permission": {"edit": "ask", "bash": "ask"},
    }
    _settings(home, ".config/kilo/kilo.json", settings)
    return {
        "KILO_DISABLE_AUTOUPDATE": "1",
        "KILO_DISABLE_MODELS_FETCH": "1",
        "npm_config_registry": "http://127.0.0.1:9",
    }


def _vibe(home: Path, url: str) -> dict[str, str]:
    path = home / ".vibe" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"""
active_model = "{MODEL}"
enable_telemetry = false
enable_auto_update = false
enable_update_checks = false

[[providers]]
name = "tests"
api_base = "{url}/v1"
api_key_env_var = "KEY_OF_THE_TESTS"
api_style = "openai"
backend = "generic"

[[models]]
name = "{MODEL}"
provider = "tests"
alias = "{MODEL}"
"""
    )
    return {"KEY_OF_THE_TESTS": KEY}


def _cline(home: Path, url: str) -> dict[str, str]:
    provider = "openai-compatible"
    chosen = {"provider": provider, "apiKey": KEY, "model": MODEL, "baseUrl": f"{url}/v1"}
    row = {"settings": chosen, "updatedAt": "2026-01-01T00:00:00.000Z", "tokenSource": "manual"}
    settings = {"version": 1, "lastUsedProvider": provider, "providers": {provider: row}}
    _settings(home, ".cline/data/settings/providers.json", settings)
    return {"CLINE_API_KEY": KEY, "CLINE_PROVIDER": provider, "CLINE_MODEL": MODEL}


def _claude(home: Path, url: str) -> dict[str, str]:
    return claude_cli.model_environment(int(url.rsplit(":", 1)[-1]))


def _codex(home: Path, url: str) -> dict[str, str]:
    codex_cli.configure(home, int(url.rsplit(":", 1)[-1]))
    return {"KEY_OF_THE_TESTS": "none"}


GEMINI = Actor("gemini", "GEMINI", _gemini, exit_code=False)
QWEN = Actor("qwen", "QWEN_CODE", _qwen)
COPILOT = Actor("copilot", "COPILOT", _copilot)
DROID = Actor("droid", "DROID", _droid, usage=False, output=False, exit_code=False)
OPENCODE = Actor("opencode", "OPENCODE", _opencode)
CLAUDE_AGENT_ACP = Actor(
    "claude-agent-acp",
    "ACP",
    _claude,
    exit_code=False,
    options=(("DEFAULT", {"auto_approve": True}), ("APPROVALS", {"approvals": True})),
)


def _named(agent: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    return (
        ("DEFAULT", {"agent": agent, "auto_approve": True}),
        ("APPROVALS", {"agent": agent, "approvals": True}),
    )


KILO = Actor("kilo", "ACP", _kilo, options=_named("kilo"))
VIBE = Actor("mistral-vibe", "ACP", _vibe, options=_named("mistral-vibe"))
CLINE = Actor("cline", "ACP", _cline, options=_named("cline"))
CODEX_ACP = Actor("codex-acp", "ACP", _codex, options=CLAUDE_AGENT_ACP.options)


class Client(Person):
    """Somebody who has tasks done by one of these agents."""

    actor: Actor

    @classmethod
    async def hiring(cls, daemon: Daemon, actor: Actor, port: int) -> Client:
        """A new project, and the variants of the agent with the pinned program and our model."""
        repository = daemon.repository()
        client = cls(daemon, await daemon.project(repository), repository)
        client.actor = actor
        url = f"http://127.0.0.1:{port}"
        shared = {
            "base_command_override": actor.command(),
            "env": actor.prepare(daemon.home, url),
        }
        known = (await daemon.ask("GET", "/api/info"))["executors"][actor.executor]
        variants = {
            name: {
                actor.executor: {
                    **known.get(name, {}).get(actor.executor, {}),
                    **options,
                    **shared,
                }
            }
            for name, options in actor.options
        }
        await daemon.ask("PUT", "/api/profiles", {"executors": {actor.executor: variants}})
        return client

    async def start(self, scenario: str, variant: str | None = "APPROVALS") -> dict[str, Any]:
        """A new task with an attempt at it."""
        task = {
            "project_id": self.project["id"],
            "title": f"Play {scenario}",
            "description": f"SCN={scenario} GATE={self.gate}",
        }
        profile = {"executor": self.actor.executor, "variant": variant}
        body = {"task": task, "executor_profile_id": profile, "base_branch": "main"}
        made = await self.daemon.ask("POST", "/api/tasks/create-and-start", body)
        path = f"/api/task-attempts?task_id={made['id']}"
        return (await self.daemon.ask("GET", path))[0]  # type: ignore[no-any-return]


def model_of_all() -> AbstractContextManager[int]:
    """Runs the scripted model that every agent understands; gives its port on loopback."""
    return serving("-m", "tests.support.fakes.models.gemini_model")
