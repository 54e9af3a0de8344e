"""Settings of a person: the configuration, and the profiles of the agents."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from msgspec import Struct, field

from anyond.model.fields import Group, setting

_DAY_S = 24 * 60 * 60


class Executor(StrEnum):
    """The names of the agents, as the API spells them."""

    CLAUDE_CODE = "CLAUDE_CODE"
    AMP = "AMP"
    GEMINI = "GEMINI"
    CODEX = "CODEX"
    OPENCODE = "OPENCODE"
    CURSOR_AGENT = "CURSOR_AGENT"
    QWEN_CODE = "QWEN_CODE"
    COPILOT = "COPILOT"
    DROID = "DROID"
    ACP = "ACP"
    DEMO = "DEMO"


class ExecutorProfileId(Struct, frozen=True, kw_only=True):
    """An agent in one of its variants; None is `DEFAULT`."""

    executor: Annotated[Executor, setting("Which agent.")]
    variant: Annotated[
        str | None, setting("Which of its variants; null is `DEFAULT`.", check="variant")
    ] = None


class Theme(StrEnum):
    LIGHT = "LIGHT"
    DARK = "DARK"
    SYSTEM = "SYSTEM"


class Language(StrEnum):
    BROWSER = "BROWSER"
    EN = "EN"
    JA = "JA"
    ES = "ES"
    KO = "KO"


class SoundFile(StrEnum):
    ABSTRACT_SOUND1 = "ABSTRACT_SOUND1"
    ABSTRACT_SOUND2 = "ABSTRACT_SOUND2"
    ABSTRACT_SOUND3 = "ABSTRACT_SOUND3"
    ABSTRACT_SOUND4 = "ABSTRACT_SOUND4"
    COW_MOOING = "COW_MOOING"
    PHONE_VIBRATION = "PHONE_VIBRATION"
    ROOSTER = "ROOSTER"


class EditorType(StrEnum):
    VS_CODE = "VS_CODE"
    CURSOR = "CURSOR"
    WINDSURF = "WINDSURF"
    INTELLI_J = "INTELLI_J"
    ZED = "ZED"
    XCODE = "XCODE"
    CUSTOM = "CUSTOM"


class CommitMessage(StrEnum):
    """The body of an automatic commit; `OFF` makes no automatic commits."""

    SUMMARY = "summary"
    TITLE = "title"
    OFF = "off"


class ScriptProfile(StrEnum):
    """The part of the person's shell that the scripts of projects have: that of a new terminal,
    that of a login shell, or nothing but the environment of the daemon.
    """

    TERMINAL = "terminal"
    LOGIN = "login"
    NONE = "none"


class Submodules(StrEnum):
    """The submodules of a new worktree: those of the project's checkout, all, or none."""

    AS_CHECKOUT = "as_checkout"
    ALL = "all"
    NONE = "none"


class Notifications(Struct, frozen=True, kw_only=True):
    """The means to notify a person that an agent is done."""

    sound_enabled: Annotated[
        bool, setting("Whether a sound is played, unless a person has stopped it.")
    ] = True
    push_enabled: Annotated[bool, setting("Whether the desktop shows a message.")] = True
    sound_file: Annotated[SoundFile, setting("Which sound.")] = SoundFile.COW_MOOING


class Editor(Struct, frozen=True, kw_only=True):
    """The program that opens a worktree, or a file in it."""

    editor_type: Annotated[EditorType, setting("Which editor.")] = EditorType.VS_CODE
    custom_command: Annotated[
        str | None, setting("The command line of `CUSTOM`; the path is added to it.")
    ] = None
    remote_ssh_host: Annotated[
        str | None,
        setting(
            "The name of this machine for SSH; editors of the VS Code family are then opened by a"
            " link, on the machine of whoever asks.",
            check="ssh_name",
        ),
    ] = None
    remote_ssh_user: Annotated[
        str | None, setting("The user name that goes with it.", check="ssh_name")
    ] = None


class GitHub(Struct, frozen=True, kw_only=True):
    """Access to GitHub."""

    pat: Annotated[
        str | None,
        setting("A personal access token; it counts for more than a sign-in.", secret=True),
    ] = None
    oauth_token: Annotated[str | None, setting("The token of a sign-in.", secret=True)] = None
    username: Annotated[str | None, setting("The account that has signed in.")] = None
    primary_email: Annotated[str | None, setting("Its address.")] = None
    default_pr_base: Annotated[
        str | None,
        setting("The branch that a pull request goes into, if nothing else says which."),
    ] = "main"


class Showcases(Struct, frozen=True, kw_only=True):
    """The features that a client has introduced to the person."""

    seen_features: Annotated[list[str], setting("Names of features.")] = field(default_factory=list)


class Config(Struct, frozen=True, kw_only=True):
    """All settings of a person. Unknown keys of the file are kept beside it, not in here."""

    config_version: Annotated[str, setting("The form of the file.", Group.FILE)] = "1.0.0"
    theme: Annotated[Theme, setting("How a front end looks.", Group.CLIENTS)] = Theme.SYSTEM
    executor_profile: Annotated[
        ExecutorProfileId, setting("The agent that a client offers first.")
    ] = ExecutorProfileId(executor=Executor.CLAUDE_CODE)
    disclaimer_acknowledged: Annotated[
        bool, setting("Whether the warning that agents run commands was seen.", Group.CLIENTS)
    ] = False
    onboarding_acknowledged: Annotated[
        bool, setting("Whether the introduction was seen.", Group.CLIENTS)
    ] = False
    github_login_acknowledged: Annotated[
        bool, setting("Whether the offer to sign in to GitHub was seen.", Group.CLIENTS)
    ] = False
    telemetry_acknowledged: Annotated[
        bool, setting("Whether the question about statistics was seen.", Group.CLIENTS)
    ] = False
    notifications: Notifications = Notifications()
    editor: Editor = Editor()
    github: GitHub = GitHub()
    analytics_enabled: Annotated[
        bool | None,
        setting("Whether the person allows statistics of use; Anyon makes none.", Group.CLIENTS),
    ] = None
    workspace_dir: Annotated[
        str | None,
        setting(
            "The directory in which `worktrees/` holds new worktrees, absolute; null is the data"
            " directory.",
            Group.GIT,
            check="directory",
        ),
    ] = None
    last_app_version: Annotated[
        str | None, setting("The version that a client has seen last.", Group.CLIENTS)
    ] = None
    show_release_notes: Annotated[
        bool, setting("Whether a client shows what is new.", Group.CLIENTS)
    ] = False
    language: Annotated[Language, setting("The language of a front end.", Group.CLIENTS)] = (
        Language.BROWSER
    )
    git_branch_prefix: Annotated[
        str,
        setting(
            'What names of new branches begin with, before a slash; "" for none.',
            Group.GIT,
            check="branch_prefix",
        ),
    ] = "anyon"
    showcases: Showcases = Showcases()
    approval_timeout_s: Annotated[
        float,
        setting(
            "After how many seconds an approval request that nobody has answered expires.",
            Group.AGENTS,
            ge=1,
            le=30 * _DAY_S,
        ),
    ] = 3600
    silence_notice_s: Annotated[
        float,
        setting(
            "After how many seconds without output an entry says that an agent at work is silent;"
            " 0 for never.",
            Group.AGENTS,
            ge=0,
            le=_DAY_S,
        ),
    ] = 60
    pr_poll_interval_s: Annotated[
        float,
        setting(
            "How many seconds pass between two looks at open pull requests.",
            Group.GIT,
            ge=5,
            le=_DAY_S,
        ),
    ] = 60
    pr_open_browser: Annotated[
        bool, setting("Whether a new pull request is shown in a browser.", Group.GIT)
    ] = True
    commit_message: Annotated[
        CommitMessage,
        setting(
            "What the message of an automatic commit says: the title of the task with the agent's"
            " summary, or alone; `off` makes no automatic commits.",
            Group.GIT,
        ),
    ] = CommitMessage.SUMMARY
    script_profile: Annotated[
        ScriptProfile,
        setting(
            "What scripts have of the person's shell: what a new terminal has, what a login shell"
            " has, or nothing but the daemon's environment.",
            Group.SCRIPTS,
        ),
    ] = ScriptProfile.TERMINAL
    submodules: Annotated[
        Submodules,
        setting(
            "Which submodules a new worktree has: those of the project's checkout, all, or none.",
            Group.GIT,
        ),
    ] = Submodules.AS_CHECKOUT
    worktrees_stay_days: Annotated[
        int,
        setting(
            "How many days a worktree stays after its task is done or cancelled and nothing ran in"
            " it; then it is removed after a snapshot, and comes back from its branch when it is"
            " needed. 0 is for ever.",
            Group.GIT,
            ge=0,
            le=36_500,
        ),
    ] = 0
    logs_stay_days: Annotated[
        int,
        setting(
            "How many days raw logs stay after their task is done or cancelled; conversations stay."
            " 0 is for ever.",
            Group.AGENTS,
            ge=0,
            le=36_500,
        ),
    ] = 0
    log_limit_bytes: Annotated[
        int,
        setting(
            "How many bytes of one execution's raw log are kept: its beginning and its newest"
            " part.",
            Group.AGENTS,
            ge=1024**2,
            le=1024**5,
        ),
    ] = 2 * 1024**3


Variant = dict[str, Any]
"""The options of one variant, decoded but not yet of one agent's type."""
