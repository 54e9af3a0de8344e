"""Settings of every age are read, nothing of them is lost, and the file as it was stays."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from anyond.model.configuration.settings import (
    Config,
    EditorType,
    Executor,
    Language,
    SoundFile,
    Theme,
)
from anyond.settings.config import ConfigFile
from anyond.settings.profiles import Profiles

FIRST: dict[str, Any] = {
    "theme": "dark",
    "executor": {"type": "claude-plan"},
    "disclaimer_acknowledged": True,
    "onboarding_acknowledged": True,
    "sound_alerts": False,
    "sound_file": "abstract-sound2",
    "push_notifications": True,
    "editor": {"editor_type": "vscode", "custom_command": None},
    "github": {"token": "old-token", "username": "ada", "default_pr_base": "develop"},
    "analytics_enabled": None,
}
SECOND: dict[str, Any] = {
    "config_version": "v2",
    "theme": "PURPLE",
    "profile": "amp",
    "notifications": {
        "sound_enabled": False,
        "push_enabled": True,
        "sound_file": "ABSTRACT_SOUND2",
    },
    "editor": {"editor_type": "VS_CODE", "custom_command": None},
    "github": {"pat": "p", "oauth_token": "old-token", "username": "ada"},
    "workspace_dir": None,
}
FOURTH = {**SECOND, "config_version": "v4", "profile": {"profile": "codex", "variant": "high"}}
FIFTH = {**FOURTH, "config_version": "v5", "last_app_version": "0.0.60", "show_release_notes": True}
SIXTH = {
    **{key: value for key, value in FIFTH.items() if key != "profile"},
    "config_version": "v6",
    "executor_profile": {"executor": "CURSOR", "variant": "GPT_5"},
    "language": "JA",
}
SEVENTH = {
    **SIXTH,
    "config_version": "v7",
    "theme": "LIGHT",
    "git_branch_prefix": "vk",
    "showcases": {"seen_features": ["task-panel"]},
}
LATER = {**SEVENTH, "config_version": "v8", "beta": {"on": True}, "send_message_shortcut": "Enter"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


def opened(path: Path, content: object) -> ConfigFile:
    path.write_text(json.dumps(content))
    return ConfigFile(path)


def copies(path: Path) -> list[Any]:
    found = sorted(path.parent.glob("*.before-*.bak"))
    assert all(stat.S_IMODE(copy.stat().st_mode) == 0o600 for copy in found)
    return [json.loads(copy.read_text()) for copy in found]


@pytest.mark.parametrize(
    ("old", "agent", "variant", "theme"),
    [
        (FIRST, Executor.CLAUDE_CODE, "PLAN", Theme.DARK),
        (SECOND, Executor.AMP, None, Theme.SYSTEM),
        ({**SECOND, "config_version": "v3"}, Executor.AMP, None, Theme.SYSTEM),
        (FOURTH, Executor.CODEX, "HIGH", Theme.SYSTEM),
        (FIFTH, Executor.CODEX, "HIGH", Theme.SYSTEM),
        (SIXTH, Executor.CURSOR_AGENT, "GPT_5", Theme.SYSTEM),
        (SEVENTH, Executor.CURSOR_AGENT, "GPT_5", Theme.LIGHT),
        (LATER, Executor.CURSOR_AGENT, "GPT_5", Theme.LIGHT),
    ],
    ids=["v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8"],
)
def test_every_age_keeps_its_choices_and_its_token(
    path: Path, old: dict[str, Any], agent: Executor, variant: str | None, theme: Theme
) -> None:
    settings = opened(path, old)
    assert settings.warnings == []
    config = settings.config
    assert (config.executor_profile.executor, config.executor_profile.variant) == (agent, variant)
    assert config.theme is theme
    assert (config.notifications.sound_enabled, config.notifications.push_enabled) == (False, True)
    assert config.notifications.sound_file is SoundFile.ABSTRACT_SOUND2
    assert config.editor.editor_type is EditorType.VS_CODE
    assert (config.github.oauth_token, config.github.username) == ("old-token", "ada")
    assert config.config_version == Config().config_version
    if "git_branch_prefix" in old:
        assert (config.git_branch_prefix, config.language) == ("vk", Language.JA)
        assert config.showcases.seen_features == ["task-panel"]


def test_reading_an_old_file_writes_nothing_and_the_first_change_keeps_a_copy(path: Path) -> None:
    settings = opened(path, FIRST)
    assert json.loads(path.read_text()) == FIRST
    settings.patch({"language": "KO"})
    settings.patch({"language": "EN"})
    assert copies(path) == [FIRST]
    again = ConfigFile(path)
    assert again.config == settings.config
    again.patch({"language": "ES"})
    assert copies(path) == [FIRST]


def test_what_a_later_version_added_is_kept(path: Path) -> None:
    settings = opened(path, LATER)
    settings.patch({"theme": "DARK"})
    for found in (json.loads(path.read_text()), settings.public()):
        assert (found["beta"], found["send_message_shortcut"]) == ({"on": True}, "Enter")


def test_a_value_that_means_nothing_here_is_kept_in_the_copy(path: Path) -> None:
    content = {"config_version": "9.0.0", "theme": "SEPIA", "language": "EN"}
    settings = opened(path, content)
    assert "theme must be one of" in settings.warnings[0]
    settings.patch({"language": "KO"})
    assert copies(path) == [content]
    assert settings.config.theme is Theme.SYSTEM


def test_a_file_of_today_is_not_copied(path: Path) -> None:
    settings = opened(path, {"theme": "DARK"})
    settings.patch({"language": "KO"})
    assert copies(path) == []


def test_agents_that_nobody_knows_any_more_leave_the_default(path: Path) -> None:
    for old in ({"executor": {"type": "echo"}}, {"profile": "robot"}, {"profile": 7}):
        settings = opened(path, old)
        assert settings.config.executor_profile == Config().executor_profile
        settings.patch({"language": "KO"})
        assert json.loads(path.read_text()).items() >= old.items()


def test_profiles_in_another_form_are_copied_before_the_first_change(tmp_path: Path) -> None:
    path = tmp_path / "profiles.json"
    old = {"profiles": [{"label": "claude-code", "command": "claude"}]}
    path.write_text(json.dumps(old))
    profiles = Profiles(path, {})
    change = {"executors": {"ACP": {"DEFAULT": {"ACP": {"base_command_override": "x"}}}}}
    for _ in range(2):
        profiles.update(json.dumps(change).encode())
    assert copies(path) == [old]
    assert json.loads(path.read_text()) == change
