"""What a person can set: the configuration, and the profiles of the agents."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct, field


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
    """Which agent, in which of its variants; None is `DEFAULT`."""

    executor: Executor
    variant: str | None = None


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
    """What the body of an automatic commit says; `OFF` makes no automatic commits."""

    SUMMARY = "summary"
    TITLE = "title"
    OFF = "off"


class ScriptProfile(StrEnum):
    """What the scripts of projects have of the person's shell: what a new terminal has, what a
    login shell has, or nothing but the environment of the daemon."""

    TERMINAL = "terminal"
    LOGIN = "login"
    NONE = "none"


class Submodules(StrEnum):
    """Which submodules a new worktree has: those of the project's checkout, all, or none."""

    AS_CHECKOUT = "as_checkout"
    ALL = "all"
    NONE = "none"


class Notifications(Struct, frozen=True, kw_only=True):
    sound_enabled: bool = True
    push_enabled: bool = True
    sound_file: SoundFile = SoundFile.COW_MOOING


class Editor(Struct, frozen=True, kw_only=True):
    editor_type: EditorType = EditorType.VS_CODE
    custom_command: str | None = None
    remote_ssh_host: str | None = None
    remote_ssh_user: str | None = None


class GitHub(Struct, frozen=True, kw_only=True):
    pat: str | None = None
    oauth_token: str | None = None
    username: str | None = None
    primary_email: str | None = None
    default_pr_base: str | None = "main"


class Showcases(Struct, frozen=True, kw_only=True):
    seen_features: list[str] = field(default_factory=list)


class Config(Struct, frozen=True, kw_only=True):
    """All settings of a person. Unknown keys of the file are kept beside it, not in here."""

    config_version: str = "1.0.0"
    theme: Theme = Theme.SYSTEM
    executor_profile: ExecutorProfileId = ExecutorProfileId(executor=Executor.CLAUDE_CODE)
    disclaimer_acknowledged: bool = False
    onboarding_acknowledged: bool = False
    github_login_acknowledged: bool = False
    telemetry_acknowledged: bool = False
    notifications: Notifications = Notifications()
    editor: Editor = Editor()
    github: GitHub = GitHub()
    analytics_enabled: bool | None = None
    workspace_dir: str | None = None
    last_app_version: str | None = None
    show_release_notes: bool = False
    language: Language = Language.BROWSER
    git_branch_prefix: str = "anyon"
    showcases: Showcases = Showcases()
    approval_timeout_s: float = 3600
    silence_notice_s: float = 60
    pr_poll_interval_s: float = 60
    pr_open_browser: bool = True
    commit_message: CommitMessage = CommitMessage.SUMMARY
    script_profile: ScriptProfile = ScriptProfile.TERMINAL
    submodules: Submodules = Submodules.AS_CHECKOUT
    log_limit_bytes: int = 2 * 1024**3


Variant = dict[str, Any]
"""The options of one variant, decoded but not yet of one agent's type."""
