"""The table of the environment variables that belong to whatever started the daemon.

A daemon is started from a terminal, by a service manager, from a git hook, out of an npm script or
by another agent, and lives longer than any of them. What a person has set (PATH, languages,
proxies, credentials, the configuration of agents) goes on to agents, scripts, editors and git. What
tells of the one process that happened to start the daemon does not: it names another repository,
socket, port or session. This is the only place where that is decided, and docs/environment.md
shows it.
"""

from __future__ import annotations

from msgspec import Struct


class Parental(Struct, frozen=True):
    """Variables of one kind of parent.

    Args:
        whose: the parent, as a heading.
        names: of variables, separated by spaces; `*` stands for any characters.
        reason: what goes wrong if they are passed on.
        if_set: they are the parent's only if one of these is set, too; else they are the person's.
    """

    whose: str
    names: str
    reason: str
    if_set: tuple[str, ...] = ()


PARENTAL = (
    Parental(
        "Git, in a hook, an alias or `rebase --exec`",
        """
        GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_INDEX_VERSION
        GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_PREFIX
        GIT_ATTR_SOURCE GIT_REFERENCE_BACKEND GIT_NO_LAZY_FETCH
        GIT_IMPLICIT_WORK_TREE GIT_INTERNAL_* GIT_SUPER_PREFIX GIT_TOPLEVEL_PREFIX
        GIT_GRAFT_FILE GIT_SHALLOW_FILE GIT_REPLACE_REF_BASE GIT_NO_REPLACE_OBJECTS
        GIT_QUARANTINE_PATH GIT_PUSH_OPTION_* GIT_PUSH_CERT* GIT_REFLOG_ACTION GIT_CONFIG
        GIT_CONFIG_PARAMETERS GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS
        GIT_ICASE_PATHSPECS GIT_EXTERNAL_DIFF GIT_DIFF_OPTS GIT_DIFF_PATH_*
        GIT_CHERRY_PICK_HELP GIT_MERGE_AUTOEDIT GIT_PAGER_IN_USE GIT_AUTHOR_DATE
        GIT_COMMITTER_DATE GITHEAD_*
        """,
        "They name another repository, its index, or one commit and its date.",
    ),
    Parental(
        "Git, while it makes one commit",
        "GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL",
        "They name the author of that commit, who may be anybody. A person's own stay: those are"
        " told without a date, or are those of the committer, too.",
        if_set=("GIT_AUTHOR_DATE",),
    ),
    Parental(
        "Git, while it runs a hook or an alias",
        "GIT_EXEC_PATH",
        "It names the parts of that git, which may be another one than the person's.",
        if_set=("GIT_PREFIX", "GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_PARAMETERS"),
    ),
    Parental(
        "Husky and pre-commit, while they run a hook",
        """
        HUSKY_GIT_PARAMS HUSKY_GIT_STDIN husky_skip_init PRE_COMMIT PRE_COMMIT_CHECKOUT_TYPE
        PRE_COMMIT_COMMIT_MSG_SOURCE PRE_COMMIT_COMMIT_OBJECT_NAME PRE_COMMIT_FROM_REF
        PRE_COMMIT_IS_SQUASH_MERGE PRE_COMMIT_LOCAL_BRANCH PRE_COMMIT_ORIGIN
        PRE_COMMIT_PRE_REBASE_BRANCH PRE_COMMIT_PRE_REBASE_UPSTREAM PRE_COMMIT_REMOTE_BRANCH
        PRE_COMMIT_REMOTE_NAME PRE_COMMIT_REMOTE_URL PRE_COMMIT_REWRITE_COMMAND
        PRE_COMMIT_SOURCE PRE_COMMIT_TO_REF
        """,
        "They tell of one commit or push, and hooks leave steps out that are done already. What"
        " configures them (`HUSKY`, `PRE_COMMIT_HOME`, `PRE_COMMIT_COLOR`, `SKIP`) stays.",
    ),
    Parental(
        "Anyon",
        "ANYON_*",
        "They configure the daemon itself: an `anyon` that an agent tries would open the data of"
        " this one. Those of the built-in demo agent (`ANYON_DEMO_*`) stay.",
    ),
    Parental(
        "Claude Code",
        """
        CLAUDECODE CLAUDE_CODE CLAUDE_AGENT CLAUDE_AGENT_SDK_CLIENT_APP
        CLAUDE_AGENT_SDK_VERSION CLAUDE_BG_* CLAUDE_BRIDGE_* CLAUDE_CODE_*_FILE_DESCRIPTOR
        CLAUDE_CODE_ACTION CLAUDE_CODE_AGENT CLAUDE_CODE_AGENT_PROXY_* CLAUDE_CODE_BRIDGE_*
        CLAUDE_CODE_CCR_* CLAUDE_CODE_CHILD_* CLAUDE_CODE_CLOUD_SESSION_ID
        CLAUDE_CODE_CONTAINER_ID CLAUDE_CODE_DESKTOP_* CLAUDE_CODE_ENTRYPOINT
        CLAUDE_CODE_ENVIRONMENT_* CLAUDE_CODE_EXECPATH CLAUDE_CODE_HOST_*
        CLAUDE_CODE_IS_* CLAUDE_CODE_MESSAGING_* CLAUDE_CODE_PARENT_*
        CLAUDE_CODE_PROJECTS_SESSION CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST
        CLAUDE_CODE_RELAUNCH_* CLAUDE_CODE_REMOTE CLAUDE_CODE_REMOTE_*
        CLAUDE_CODE_RESUME_FROM_SESSION CLAUDE_CODE_RESUME_PROMPT CLAUDE_CODE_RESUME_REASON
        CLAUDE_CODE_RUNNER_* CLAUDE_CODE_SANDBOXED CLAUDE_CODE_SDK_* CLAUDE_CODE_SESSION_*
        CLAUDE_CODE_SESSIONS_OAUTH_TOKEN CLAUDE_CODE_SHELL_HANDOVER_* CLAUDE_CODE_SPAWN*
        CLAUDE_CODE_SSE_PORT CLAUDE_CODE_SUPERVISED CLAUDE_CODE_TASK_LIST_ID
        CLAUDE_CODE_TEAM_NAME CLAUDE_CODE_TEAMMATE_COMMAND CLAUDE_CODE_TMUX_*
        CLAUDE_CODE_TOOL_USE_ID CLAUDE_CODE_TRIGGER_ID CLAUDE_CODE_VERSION
        CLAUDE_CODE_WORKER_* CLAUDE_EFFORT CLAUDE_ENV_FILE CLAUDE_INTERNAL_* CLAUDE_JOB_DIR
        CLAUDE_PID CLAUDE_PLUGIN_DATA CLAUDE_PLUGIN_OPTION_* CLAUDE_PLUGIN_ROOT
        CLAUDE_PROJECT_DIR CLAUDE_PTY_* CLAUDE_RUNNER_* CLAUDE_SESSION_* CLAUDE_SKILL_DIR
        """,
        "They tell of one session: `claude` takes itself for nested, refuses, answers to that"
        " session's editor or keeps no transcript. Settings and credentials (`CLAUDE_CONFIG_DIR`,"
        " `CLAUDE_CODE_USE_BEDROCK`, `CLAUDE_CODE_OAUTH_TOKEN`, …) stay.",
    ),
    Parental(
        "Codex",
        """
        CODEX_CI CODEX_INTERNAL_* CODEX_MANAGED_BY_* CODEX_NETWORK_PROXY_*
        CODEX_PERMISSION_PROFILE CODEX_SANDBOX CODEX_SANDBOX_* CODEX_SESSION_ID CODEX_SHELL
        CODEX_THREAD_ID CODEX_TURN_ID
        """,
        "They tell of one session and its sandbox: programs believe that they have no network."
        " `CODEX_HOME`, `CODEX_API_KEY` and `OPENAI_*` stay.",
    ),
    Parental(
        "Gemini CLI and Qwen Code",
        """
        GEMINI_CLI GEMINI_CLI_IDE_* GEMINI_CLI_NO_RELAUNCH GEMINI_CLI_SESSION_ID
        GEMINI_CLI_SURFACE GEMINI_CLI_ACTIVITY_LOG_TARGET GEMINI_PROJECT_DIR GEMINI_SESSION_ID
        QWEN_CODE QWEN_CODE_AGENT_ID QWEN_CODE_ENTRYPOINT QWEN_CODE_IDE_*
        QWEN_CODE_NO_RELAUNCH QWEN_CODE_SESSION_ID QWEN_PROJECT_DIR QWEN_SESSION_ID
        """,
        "They tell of one session and the editor that it talks to. Keys, models and homes stay.",
    ),
    Parental(
        "Other agents",
        """
        AGENT_SESSION_ID AGENT_THREAD_ID AI_AGENT AMP_CURRENT_THREAD_ID AMP_THREAD_ID
        ANTIGRAVITY_AGENT ANTIGRAVITY_CLI_ALIAS AUGMENT_AGENT CLINE_ACTIVE COPILOT_AGENT
        COPILOT_AGENT_* COPILOT_CLI COPILOT_CLI_* COPILOT_LOADER_PID COPILOT_RUN_APP CRUSH
        CURSOR_AGENT CURSOR_CONVERSATION_ID CURSOR_EXTENSION_HOST_ROLE CURSOR_INVOKED_AS
        CURSOR_ORIG_* CURSOR_SANDBOX CURSOR_SANDBOX_* CURSOR_TRACE_ID
        DROID_PARENT_SESSION_ID DROID_SANDBOXED DROID_SESSION_ID
        FACTORY_PROJECT_DIR FACTORY_SESSION_ID GOOSE_SESSION_ID GOOSE_TERMINAL GROK_PLUGIN_*
        JUNIE_DATA JUNIE_SHIM_PATH KILO KILO_CLIENT KILO_PID KILO_PROCESS_ROLE KILO_RUN_ID
        KIMI_PLUGIN_ROOT OPENCLAW_SHELL OPENCODE OPENCODE_CALLER OPENCODE_CLIENT
        OPENCODE_PID OPENCODE_PROCESS_ROLE OPENCODE_RUN_ID OPENCODE_SESSION_ID
        OPENCODE_TERMINAL PI_CODING_AGENT ROO_ACTIVE TRAE_AI_SHELL_ID
        """,
        'They say "you run inside of an agent", or in which session of it. Keys, homes and settings'
        " (`CURSOR_API_KEY`, `OPENCODE_CONFIG`, `AMP_API_KEY`, `GOOSE_PROVIDER`, …) stay.",
    ),
    Parental(
        "Other agents, beside one of their own",
        "AGENT",
        "Amp, Crush, Goose and OpenCode put their names there.",
        if_set=("AMP_CURRENT_THREAD_ID", "CRUSH", "GOOSE_TERMINAL", "OPENCODE"),
    ),
    Parental(
        "Other programs that run agents",
        """
        CONDUCTOR_DEFAULT_BRANCH CONDUCTOR_PORT CONDUCTOR_ROOT_PATH CONDUCTOR_WORKSPACE_NAME
        CONDUCTOR_WORKSPACE_PATH VK_PROJECT_ID VK_PROJECT_NAME VK_SESSION_ID VK_TASK_ID
        VK_WORKSPACE_BRANCH VK_WORKSPACE_ID
        """,
        "They name one task and its worktree: scripts would work there.",
    ),
    Parental(
        "Runners of CI jobs",
        """
        GITHUB_ENV GITHUB_OUTPUT GITHUB_PATH GITHUB_STATE GITHUB_STEP_SUMMARY
        HUDSON_COOKIE HUDSON_SERVER_COOKIE JENKINS_NODE_COOKIE JENKINS_SERVER_COOKIE
        RUNNER_TRACKING_ID
        """,
        "They name files of one step, or are the mark by which its processes are found and"
        " ended. `CI`, `GITHUB_TOKEN` and the like stay.",
    ),
    Parental(
        "systemd and other service managers",
        """
        CACHE_DIRECTORY CONFIGURATION_DIRECTORY CREDENTIALS_DIRECTORY
        ENCRYPTED_CREDENTIALS_DIRECTORY FDSTORE INVOCATION_ID JOURNAL_STREAM LISTEN_FDNAMES
        LISTEN_FDS LISTEN_PID LISTEN_PIDFDID LOG_NAMESPACE LOGS_DIRECTORY MAINPID
        MAINPIDFDID MANAGERPID MANAGERPIDFDID MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE
        MONITOR_* NOTIFY_SOCKET PIDFILE RUNTIME_DIRECTORY STATE_DIRECTORY SUPERVISOR_*
        SYSTEMD_EXEC_PID TRIGGER_PATH TRIGGER_TIMER_* TRIGGER_UNIT WATCHDOG_PID
        WATCHDOG_USEC XPC_SERVICE_NAME
        """,
        "They are the daemon's life line to its service manager: a program that has them reports"
        " itself ready, logs for the journal, or takes over sockets that are not there.",
    ),
    Parental(
        "Foreman, Honcho, Overmind and pm2",
        "FOREMAN_WORKER_NAME HONCHO_PROCESS_NAME OVERMIND_SOCKET PS pm_*",
        "They name one process of theirs, and the socket by which it is restarted.",
    ),
    Parental(
        "pm2, while it keeps a program running",
        """
        PM2_DISCRETE_MODE PM2_INTERACTOR_PROCESSING PM2_JSON_PROCESSING PM2_PROGRAMMATIC
        PM2_USAGE automation autorestart autostart axm_* created_at env exec_interpreter
        exec_mode filter_env instance_var instances kill_retry_time km_link merge_logs name
        namespace node_args pmx prev_restart_delay restart_time status treekill unique_id
        unstable_restarts username version vizion vizion_running watch windowsHide
        """,
        "pm2 passes on all that it knows of the one program. `PM2_HOME` stays.",
        if_set=("pm_id", "pm_exec_path"),
    ),
    Parental(
        "Whoever gave the daemon a port",
        "PORT",
        "Servers would listen there, each on the same. A dev server gets a free one of its own.",
    ),
    Parental(
        "npm, pnpm, Yarn and other runners of scripts",
        """
        BERRY_BIN_FOLDER BUN_WHICH_IGNORE_CWD INIT_CWD PNPM_PACKAGE_NAME PNPM_SCRIPT_SRC_DIR
        npm_command npm_config_argv npm_config_global_prefix npm_config_local_prefix
        npm_config_node_gyp npm_config_npm_version npm_config_user_agent
        npm_config_verify_deps_before_run npm_execpath npm_lifecycle_* npm_node_execpath
        npm_old_pid npm_package_*
        """,
        "They tell of one package: `npm install` would install into it, and programs look there.",
    ),
    Parental(
        "npm, while it runs a script",
        "COLOR NODE PROJECT_CWD npm_config_init_module npm_config_noproxy npm_config_prefix",
        "npm sets them for its own scripts (nvm refuses to work with such a prefix).",
        if_set=("npm_lifecycle_event", "npm_execpath"),
    ),
    Parental(
        "Nx, Turborepo, Lerna and runners of tests in JavaScript",
        """
        JEST_WORKER_ID LERNA_PACKAGE_NAME LERNA_ROOT_PATH NX_CLI_SET NX_FORKED_TASK_EXECUTOR
        NX_INVOKED_BY_RUNNER NX_TASK_HASH NX_TASK_TARGET_* NX_TERMINAL_OUTPUT_PATH
        NX_WORKSPACE_ROOT NX_WORKSPACE_ROOT_PATH TEST_PARALLEL_INDEX TEST_WORKER_INDEX
        TURBO_HASH TURBO_INVOCATION_DIR TURBO_IS_TUI VITEST VITEST_POOL_ID VITEST_WORKER_ID
        """,
        "They name one task and its checkout: the same tool would work there.",
    ),
    Parental(
        "Cargo, while it runs or builds a program",
        """
        CARGO_BIN_EXE_* CARGO_BIN_NAME CARGO_CFG_* CARGO_CRATE_NAME CARGO_FEATURE_*
        CARGO_MAKEFLAGS CARGO_MANIFEST_DIR CARGO_MANIFEST_LINKS CARGO_MANIFEST_PATH
        CARGO_PKG_* CARGO_PRIMARY_PACKAGE CARGO_TARGET_TMPDIR RUST_RECURSION_COUNT
        """,
        "They name one package. `CARGO_HOME`, `CARGO_TARGET_DIR`, `CARGO_REGISTRY_TOKEN` and other"
        " settings stay.",
    ),
    Parental(
        "Cargo and rustup, beside one of those",
        "CARGO RUSTUP_TOOLCHAIN",
        "They fix the toolchain that ran the daemon, whatever a project asks for.",
        if_set=("CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "RUST_RECURSION_COUNT"),
    ),
    Parental(
        "Bundler",
        "BUNDLER_ORIG_* BUNDLER_SETUP BUNDLE_BIN_PATH",
        "They name one Gemfile. What Bundler has replaced (`BUNDLER_ORIG_RUBYOPT`, …) is the"
        " person's again; `BUNDLE_PATH` and other settings stay.",
    ),
    Parental(
        "Bundler, in `bundle exec`",
        "BUNDLER_VERSION BUNDLE_GEMFILE BUNDLE_LOCKFILE RB_USER_INSTALL RUBYLIB RUBYOPT",
        "Every Ruby would load that Gemfile before anything else.",
        if_set=("BUNDLER_SETUP", "BUNDLE_BIN_PATH", "BUNDLER_ORIG_PATH"),
    ),
    Parental(
        "Bazel, in `bazel run` and tests",
        """
        BUILD_WORKING_DIRECTORY BUILD_WORKSPACE_DIRECTORY
        JAVA_RUNFILES PYTHON_RUNFILES RUNFILES_DIR RUNFILES_MANIFEST_FILE
        RUNFILES_MANIFEST_ONLY
        """,
        "They name another workspace and one build of it.",
    ),
    Parental(
        "pyenv, rbenv and the like, in a program that they have found",
        """
        GOENV_DIR GOENV_HOOK_PATH JENV_DIR JENV_HOOK_PATH NODENV_DIR NODENV_HOOK_PATH
        PYENV_DIR PYENV_HOOK_PATH RBENV_DIR RBENV_HOOK_PATH _VOLTA_TOOL_RECURSION
        """,
        "They name the directory in which it was looked for. Their roots stay.",
    ),
    Parental(
        "the same, beside one of those",
        "GOENV_VERSION JENV_VERSION NODENV_VERSION PYENV_VERSION RBENV_VERSION",
        "It is the version that ran the daemon, whatever a project asks for.",
        if_set=("GOENV_DIR", "JENV_DIR", "NODENV_DIR", "PYENV_DIR", "RBENV_DIR"),
    ),
    Parental(
        "Node.js and Electron programs, such as an editor's extension",
        """
        CHROME_CRASHPAD_PIPE_NAME CHROME_DESKTOP ELECTRON_NO_ATTACH_CONSOLE
        ELECTRON_RUN_AS_NODE NODE_APP_INSTANCE NODE_CHANNEL_FD
        NODE_CHANNEL_SERIALIZATION_MODE NODE_UNIQUE_ID ORIGINAL_XDG_CURRENT_DESKTOP
        VSCODE_A11Y_MODE VSCODE_AMD_ENTRYPOINT VSCODE_CODE_CACHE_PATH
        VSCODE_CRASH_REPORTER_* VSCODE_CWD VSCODE_DEBUGPY_ADAPTER_ENDPOINTS VSCODE_ENV_*
        VSCODE_ESM_ENTRYPOINT VSCODE_HANDLES_* VSCODE_INJECTION VSCODE_INSPECTOR_OPTIONS
        VSCODE_IPC_HOOK VSCODE_L10N_BUNDLE_LOCATION VSCODE_NLS_CONFIG VSCODE_NONCE
        VSCODE_PATH_PREFIX VSCODE_PID VSCODE_PREVENT_SHELL_HISTORY
        VSCODE_PROFILE_INITIALIZED VSCODE_PYTHON_AUTOACTIVATE_GUARD
        VSCODE_RESOLVING_ENVIRONMENT VSCODE_SHELL_INTEGRATION VSCODE_SHELL_LOGIN
        VSCODE_STABLE VSCODE_SUGGEST
        """,
        "Node.js would look for a channel that is closed, and an editor would start as Node.js."
        " What git and `code` ask (`VSCODE_GIT_*`, `VSCODE_IPC_HOOK_CLI`) stays.",
    ),
    Parental(
        "AppImage",
        "APPIMAGE",
        "It names one program (some editors and terminals), which takes itself for started by it.",
    ),
    Parental(
        "AppImage, beside that",
        "APPDIR ARGV0 OWD",
        "They name the mounted image and what was called; zsh and rustup take `ARGV0` for their"
        " own name.",
        if_set=("APPIMAGE",),
    ),
    Parental(
        "Next.js and servers of Python that start themselves again",
        """
        GUNICORN_FD GUNICORN_PID NEXT_PRIVATE_* NEXT_RUNTIME WERKZEUG_RUN_MAIN
        WERKZEUG_SERVER_FD __NEXT_*
        """,
        "A dev server takes itself for the child of another one: it reloads nothing, reads no"
        " `.env`, or looks for a socket that is closed.",
    ),
    Parental(
        "make",
        "MAKELEVEL MAKE_RESTARTS MAKE_TERMERR MAKE_TERMOUT MFLAGS MAKEOVERRIDES",
        "They tell of one run and of its job server, which is gone.",
    ),
    Parental(
        "make, while it runs",
        "MAKEFLAGS",
        "They name that job server.",
        if_set=("MAKELEVEL",),
    ),
    Parental(
        "Python tools",
        """
        BUNDLED_DEBUGPY_PATH COV_CORE_CONFIG COV_CORE_CONTEXT COV_CORE_DATAFILE
        COV_CORE_SOURCE HATCH_ENV_ACTIVE NOX_CURRENT_SESSION PDM_PROJECT_ROOT PDM_RUN_CWD
        PIPENV_ACTIVE PIXI_ENVIRONMENT_NAME PIXI_IN_SHELL PIXI_PROJECT_* POETRY_ACTIVE
        PYCHARM_DISPLAY_PORT PYCHARM_HOSTED PYTEST_CURRENT_TEST PYTEST_VERSION
        PYTEST_XDIST_* TOX_ENV_* TOX_PACKAGE TOX_PARALLEL_ENV TOX_WORK_DIR UV
        UV_RUN_RECURSION_DEPTH __PYVENV_LAUNCHER__
        """,
        "They say that a runner is at work already, and on which project. `VIRTUAL_ENV` stays"
        " unless Anyon itself is installed there: what an agent installs does not belong beside"
        " it.",
    ),
    Parental(
        "The terminal, a multiplexer, the shell",
        """
        ABDUCO_SESSION ALACRITTY_LOG ALACRITTY_SOCKET ALACRITTY_WINDOW_ID ASCIINEMA_REC
        BASHOPTS BYOBU_BACKEND BYOBU_TTY DESKTOP_STARTUP_ID GIO_LAUNCHED_DESKTOP_FILE*
        GNOME_TERMINAL_SCREEN GNOME_TERMINAL_SERVICE GUAKE_TAB_UUID INSIDE_EMACS
        ITERM_SESSION_ID KITTY_LISTEN_ON KITTY_PID KITTY_WINDOW_ID KONSOLE_DBUS_* MC_SID
        MC_TMPDIR NNNLVL NVIM NVIM_LISTEN_ADDRESS OLDPWD PWD RANGER_LEVEL SHELLOPTS
        SHELL_SESSION_ID SHLVL STY TERMINATOR_DBUS_NAME TERMINATOR_DBUS_PATH
        TERMINATOR_UUID TERM_SESSION_ID TILIX_ID TMUX TMUX_PANE VIM_SERVERNAME
        VIM_TERMINAL WEZTERM_PANE WEZTERM_UNIX_SOCKET WINDOW WINDOWID WT_PROFILE_ID
        WT_SESSION XDG_ACTIVATION_TOKEN ZELLIJ ZELLIJ_PANE_ID ZELLIJ_SESSION_NAME ZED_TERM
        __INTELLIJ_COMMAND_HISTFILE__ _
        """,
        "They name one window or directory: an agent would open panes in it or work there; or they"
        " are the options of one shell, such as `set -e`. `PWD` is set to the directory in which a"
        " program is started.",
    ),
)


def names_of_repositories() -> tuple[str, ...]:
    """Variables that lead git into a certain repository, also if a person's profile sets them."""
    return tuple(name for name in PARENTAL[0].names.split() if "*" not in name)
