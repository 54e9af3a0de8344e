"""Which variables go on to programs, and that the page about it says so."""

from __future__ import annotations

import pytest

from anyond.model.configuration.environment import personal
from anyond.model.configuration.parental import PARENTAL, Parental
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "environment.md"

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
VSCODE_GIT_IPC_HANDLE VSCODE_IPC_HOOK_CLI VSCODE_PORTABLE ANYON_DEMO_PACE
GIT_EXEC_PATH HUSKY PRE_COMMIT_HOME PRE_COMMIT_COLOR PRE_COMMIT_ALLOW_NO_CONFIG SKIP
PM2_HOME FOREMAN_URL CARGO CARGO_HOME CARGO_TARGET_DIR CARGO_REGISTRY_TOKEN
CARGO_NET_OFFLINE RUSTUP_HOME RUSTUP_TOOLCHAIN RUSTFLAGS TOXENV TOX_SKIP_ENV UV_CACHE_DIR
UV_INDEX_URL UV_PYTHON POETRY_HOME POETRY_VIRTUALENVS_IN_PROJECT PIPENV_PIPFILE
PIP_INDEX_URL BUNDLE_PATH BUNDLE_GEMFILE BUNDLE_WITHOUT BUNDLE_JOBS RUBYOPT RUBYLIB GEM_HOME
GEM_PATH PYENV_VERSION RBENV_ROOT RBENV_VERSION NX_DAEMON TURBO_TOKEN TURBO_TEAM VOLTA_HOME
NODE_ENV BUILD_ID BASH_ENV GPG_TTY TERM_PROGRAM NPM_TOKEN
GITHUB_ACTIONS GITHUB_WORKSPACE FLASK_APP APPDIR OWD name version env status watch
"""


def test_what_a_person_has_set_goes_on() -> None:
    environ = dict.fromkeys(PERSONAL.split(), "x")
    assert personal(environ) == environ


@pytest.mark.parametrize("kind", PARENTAL, ids=lambda kind: kind.whose)
def test_what_belongs_to_a_parent_stays_with_it(kind: Parental) -> None:
    for pattern in kind.names.split():
        name = pattern.replace("*", "X")
        reported = {name: "1", **dict.fromkeys(kind.if_set, "1")}
        assert name not in personal(reported), name


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
    saved = personal({**who, "GIT_AUTHOR_DATE": "@1 +0000", "GIT_EDITOR": ":"})
    del who["GIT_AUTHOR_EMAIL"]
    assert saved == who


def test_a_virtual_environment_is_the_persons_unless_anyon_lives_there() -> None:
    activated = {"VIRTUAL_ENV": "/venv", "VIRTUAL_ENV_PROMPT": "(venv)"}
    assert personal(activated, "/other") == activated
    assert personal(activated, "/venv") == {}


LAUNCHERS = {
    "a git hook": """GIT_EXEC_PATH GIT_PREFIX GIT_INDEX_FILE GIT_AUTHOR_DATE GIT_AUTHOR_NAME
        HUSKY_GIT_PARAMS husky_skip_init PRE_COMMIT PRE_COMMIT_FROM_REF PRE_COMMIT_TO_REF""",
    "pm2": "pm_id pm_exec_path pm_cwd name namespace status NODE_APP_INSTANCE PM2_USAGE",
    "foreman": "PORT PS FOREMAN_WORKER_NAME HONCHO_PROCESS_NAME OVERMIND_SOCKET",
    "cargo run": "CARGO CARGO_MANIFEST_DIR CARGO_PKG_NAME CARGO_PKG_VERSION RUSTUP_TOOLCHAIN",
    "bundle exec": "BUNDLE_BIN_PATH BUNDLE_GEMFILE BUNDLER_VERSION BUNDLER_SETUP RUBYOPT RUBYLIB",
    "tox and pytest": """TOX_ENV_NAME TOX_ENV_DIR TOX_WORK_DIR PYTEST_CURRENT_TEST
        PYTEST_XDIST_WORKER COV_CORE_SOURCE COV_CORE_DATAFILE""",
    "uv run, poetry, pipenv": "UV UV_RUN_RECURSION_DEPTH POETRY_ACTIVE PIPENV_ACTIVE",
    "pyenv": "PYENV_DIR PYENV_VERSION PYENV_HOOK_PATH",
    "PyCharm": "PYCHARM_HOSTED PYCHARM_DISPLAY_PORT __INTELLIJ_COMMAND_HISTFILE__",
    "npm run in nx": """npm_lifecycle_event npm_package_json npm_config_local_prefix INIT_CWD
        NX_WORKSPACE_ROOT NX_TASK_TARGET_PROJECT JEST_WORKER_ID VITEST""",
    "make": "MAKEFLAGS MAKELEVEL MFLAGS MAKE_TERMOUT",
    "systemd": "INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET SYSTEMD_EXEC_PID",
    "a terminal": "TMUX TMUX_PANE STY SHELLOPTS BASHOPTS SHLVL KONSOLE_DBUS_SERVICE NVIM",
    "an editor": "VSCODE_IPC_HOOK VSCODE_PID VSCODE_NONCE VSCODE_INJECTION CURSOR_TRACE_ID",
    "git with options": "GIT_ATTR_SOURCE GIT_NO_LAZY_FETCH GIT_REFERENCE_BACKEND GIT_PREFIX",
    "a step of a CI job": """RUNNER_TRACKING_ID JENKINS_NODE_COOKIE JENKINS_SERVER_COOKIE
        HUDSON_SERVER_COOKIE GITHUB_ENV GITHUB_OUTPUT GITHUB_PATH GITHUB_STEP_SUMMARY""",
    "an AppImage": "APPIMAGE APPDIR ARGV0 OWD",
    "flask run, next dev": "WERKZEUG_RUN_MAIN WERKZEUG_SERVER_FD __NEXT_PROCESSED_ENV NEXT_RUNTIME",
    "another program that runs agents": "VK_TASK_ID VK_WORKSPACE_ID CONDUCTOR_WORKSPACE_PATH",
    "bazel run": "BUILD_WORKSPACE_DIRECTORY BUILD_WORKING_DIRECTORY RUNFILES_DIR",
}


@pytest.mark.parametrize("names", LAUNCHERS.values(), ids=LAUNCHERS)
def test_nothing_of_what_has_started_the_daemon_goes_on(names: str) -> None:
    mine = {"PATH": "/usr/bin", "BUNDLE_PATH": "/gems", "PRE_COMMIT_HOME": "/p", "PM2_HOME": "/m"}
    assert personal({**mine, **dict.fromkeys(names.split(), "1")}) == mine


@pytest.mark.parametrize("name", ["RUBYOPT", "RUBYLIB", "BUNDLE_GEMFILE"])
def test_what_bundler_has_replaced_is_the_persons_again(name: str) -> None:
    inside = {name: "/g", "BUNDLE_BIN_PATH": "/b", "BUNDLE_PATH": "/gems", "BUNDLER_SETUP": "/s"}
    was = f"BUNDLER_ORIG_{name}"
    assert personal({**inside, was: "mine"}) == {"BUNDLE_PATH": "/gems", name: "mine"}
    nothing = "BUNDLER_ENVIRONMENT_PRESERVER_INTENTIONALLY_NIL"
    assert personal({**inside, was: nothing}) == {"BUNDLE_PATH": "/gems"}


def test_the_page_shows_the_whole_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for kind in PARENTAL:
        names = ", ".join(f"`{name}`" for name in kind.names.split())
        also = f" (if {' or '.join(f'`{name}`' for name in kind.if_set)} is set)"
        row = f"| {kind.whose}{also if kind.if_set else ''} | {names} | {kind.reason} |"
        assert row in page, f"docs/environment.md lacks this row:\n{row}"
