"""Which variables go on to programs, and that the page about it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.model.environment import PARENTAL, Parental, personal

PAGE = Path(__file__).parents[2] / "docs" / "environment.md"

PERSONAL = """
PATH HOME USER SHELL LANG LC_ALL LANGUAGE TZ TERM COLORTERM EDITOR VISUAL PAGER TMPDIR CI
SSH_AUTH_SOCK SSH_CONNECTION SSH_ASKPASS SSH_ASKPASS_REQUIRE DISPLAY WAYLAND_DISPLAY
DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR XDG_CONFIG_HOME HTTPS_PROXY no_proxy SSL_CERT_FILE
ANTHROPIC_API_KEY ANTHROPIC_BASE_URL ANTHROPIC_MODEL CLAUDE_CONFIG_DIR
CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_USE_BEDROCK CLAUDE_CODE_USE_VERTEX
CLAUDE_CODE_MAX_OUTPUT_TOKENS CLAUDE_CODE_SHELL CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC
CLAUDE_CODE_API_KEY_HELPER_TTL_MS CLAUDE_CODE_CLIENT_CERT CODEX_HOME CODEX_API_KEY
OPENAI_API_KEY GEMINI_API_KEY GEMINI_MODEL GEMINI_SANDBOX GOOGLE_API_KEY GEMINI_CLI_HOME
GEMINI_CLI_SYSTEM_SETTINGS_PATH QWEN_SANDBOX CURSOR_API_KEY CURSOR_CONFIG_DIR
OPENCODE_CONFIG OPENCODE_CONFIG_DIR OPENCODE_API_KEY AMP_API_KEY AMP_URL FACTORY_API_KEY
COPILOT_GITHUB_TOKEN GH_TOKEN GITHUB_TOKEN GOOSE_PROVIDER AWS_PROFILE GIT_AUTHOR_NAME
GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_ASKPASS GIT_SSH_COMMAND
GIT_CONFIG_GLOBAL GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0 GIT_EDITOR NVM_DIR
PYENV_ROOT GOPATH JAVA_HOME CONDA_PREFIX VIRTUAL_ENV DIRENV_DIFF NODE_OPTIONS NODE
npm_config_registry npm_config_prefix NPM_CONFIG_PREFIX MAKEFLAGS DOCKER_HOST AGENT
VSCODE_GIT_IPC_HANDLE VSCODE_IPC_HOOK_CLI ANYON_DEMO_PACE
"""


def test_what_a_person_has_set_goes_on() -> None:
    environ = dict.fromkeys(PERSONAL.split(), "x")
    assert personal(environ) == environ


@pytest.mark.parametrize("kind", PARENTAL, ids=lambda kind: kind.whose)
def test_what_belongs_to_a_parent_stays_with_it(kind: Parental) -> None:
    for pattern in kind.names.split():
        name = pattern.replace("*", "X")
        told = {name: "1", **dict.fromkeys(kind.if_set, "1")}
        assert name not in personal(told), name


@pytest.mark.parametrize("kind", [kind for kind in PARENTAL if kind.if_set], ids=lambda k: k.whose)
def test_without_a_sign_of_the_parent_the_same_names_are_the_persons(kind: Parental) -> None:
    for name in kind.names.split():
        assert personal({name: "mine"}) == {name: "mine"}


def test_an_author_who_is_also_the_committer_is_the_person_even_in_a_hook() -> None:
    who = {
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "other@x",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@x",
    }
    kept = personal({**who, "GIT_AUTHOR_DATE": "@1 +0000", "GIT_EDITOR": ":"})
    del who["GIT_AUTHOR_EMAIL"]
    assert kept == who


def test_a_virtual_environment_is_the_persons_unless_anyon_lives_there() -> None:
    activated = {"VIRTUAL_ENV": "/venv", "VIRTUAL_ENV_PROMPT": "(venv)"}
    assert personal(activated, "/other") == activated
    assert personal(activated, "/venv") == {}


def test_the_page_shows_the_whole_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind in PARENTAL:
        names = ", ".join(f"`{name}`" for name in kind.names.split())
        also = f" (if {' or '.join(f'`{name}`' for name in kind.if_set)} is set)"
        row = f"| {kind.whose}{also if kind.if_set else ''} | {names} | {kind.reason} |"
        assert row in page, f"docs/environment.md lacks this row:\n{row}"
