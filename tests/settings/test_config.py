"""The settings file is merged, checked, masked, and never the reason why something is lost."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from anyond.model.configuration.settings import Config, Executor, SoundFile, Theme
from anyond.model.errors import TooLarge, Unavailable
from anyond.model.refusals.requests import Invalid
from anyond.settings.config import MASK, ConfigFile

REFERENCE: dict[str, Any] = {
    "config_version": "1.0.0",
    "theme": "DARK",
    "executor_profile": {"executor": "CLAUDE_CODE", "variant": None},
    "disclaimer_acknowledged": True,
    "onboarding_acknowledged": True,
    "github_login_acknowledged": True,
    "telemetry_acknowledged": True,
    "analytics_enabled": True,
    "workspace_dir": "/path/to/workspace",
    "git_branch_prefix": "anyon",
    "language": "EN",
    "notifications": {
        "sound_enabled": True,
        "push_enabled": False,
        "sound_file": "ABSTRACT_SOUND1",
    },
    "editor": {
        "editor_type": "VS_CODE",
        "custom_command": None,
        "remote_ssh_host": None,
        "remote_ssh_user": None,
    },
    "github": {
        "pat": None,
        "oauth_token": "ghp_xxx",
        "username": "myusername",
        "primary_email": "user@example.com",
        "default_pr_base": "main",
    },
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "config.json"


def stored(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_without_a_file_everything_is_default_and_nothing_is_written(path: Path) -> None:
    settings = ConfigFile(path)
    assert settings.config == Config()
    assert settings.warnings == []
    assert not path.exists()


def test_the_body_of_the_reference_is_taken_as_it_is_and_found_again(path: Path) -> None:
    ConfigFile(path).patch(REFERENCE)
    displayed = ConfigFile(path).public()
    expected = {**REFERENCE, "github": {**REFERENCE["github"], "oauth_token": MASK}}
    assert {key: displayed[key] for key in expected} == expected
    assert displayed["approval_timeout_s"] == 3600


def test_a_partial_body_changes_only_what_it_names(path: Path) -> None:
    settings = ConfigFile(path)
    settings.patch(REFERENCE)
    settings.patch({"notifications": {"sound_enabled": False}, "theme": "LIGHT"})
    config = ConfigFile(path).config
    assert config.theme is Theme.LIGHT
    assert not config.notifications.sound_enabled
    assert config.notifications.sound_file is SoundFile.ABSTRACT_SOUND1
    assert config.github.oauth_token == "ghp_xxx"


def test_the_file_is_readable_by_its_owner_only(path: Path) -> None:
    ConfigFile(path).patch({"theme": "DARK"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["config.json"]


def test_null_clears_what_can_be_null_and_keeps_what_cannot(path: Path) -> None:
    settings = ConfigFile(path)
    settings.patch(REFERENCE)
    config = settings.patch({"workspace_dir": None, "theme": None, "github": None})
    assert config.workspace_dir is None
    assert config.theme is Theme.DARK
    assert config.github.username == "myusername"


def test_a_masked_secret_sent_back_keeps_the_stored_one(path: Path) -> None:
    settings = ConfigFile(path)
    settings.patch({"github": {"pat": "secret-1", "oauth_token": "secret-2"}})
    displayed = settings.public()
    assert (displayed["github"]["pat"], displayed["github"]["oauth_token"]) == (MASK, MASK)
    assert "secret" not in json.dumps(displayed)
    settings.patch({**displayed, "github": {**displayed["github"], "oauth_token": None}})
    assert settings.config.github.pat == "secret-1"
    assert settings.config.github.oauth_token is None
    assert stored(path)["github"]["pat"] == "secret-1"


def test_a_token_under_its_first_name_is_as_secret(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"github": {"token": "secret-1", "oauth_token": "secret-2"}}))
    settings = ConfigFile(path)
    assert "secret" not in json.dumps(settings.public())
    assert settings.config.github.oauth_token == "secret-2"


def test_nothing_is_written_that_could_not_be_read_again(path: Path) -> None:
    settings = ConfigFile(path)
    settings.patch({"one": "x" * 10_000_000})
    with pytest.raises(TooLarge, match=r"config\.json larger than"):
        settings.patch({"two": "x" * 10_000_000})
    assert settings.patch({"one": "", "theme": "DARK"}).theme is Theme.DARK
    assert "two" not in ConfigFile(path).public()


def test_unset_secrets_are_shown_as_unset(path: Path) -> None:
    assert ConfigFile(path).public()["github"]["pat"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"theme": "PINK"}, "theme"),
        ({"disclaimer_acknowledged": "yes"}, "disclaimer_acknowledged"),
        ({"notifications": {"sound_file": "MOO"}}, "notifications.sound_file"),
        ({"notifications": 1}, "notifications"),
        ({"showcases": {"seen_features": [1]}}, "showcases.seen_features"),
        ({"executor_profile": {"executor": "NOBODY"}}, "executor_profile.executor"),
        ({"executor_profile": {"variant": "!"}}, "executor_profile.variant"),
        ({"git_branch_prefix": "a b"}, "git_branch_prefix"),
        ({"git_branch_prefix": "a/b"}, "git_branch_prefix"),
        ({"git_branch_prefix": "-x"}, "git_branch_prefix"),
        ({"git_branch_prefix": "x.lock"}, "git_branch_prefix"),
        ({"git_branch_prefix": "x..y"}, "git_branch_prefix"),
        ({"git_branch_prefix": "heads"}, "git_branch_prefix"),
        ({"git_branch_prefix": 7}, "git_branch_prefix"),
        ({"workspace_dir": "relative/path"}, "workspace_dir"),
        ({"workspace_dir": __file__}, "workspace_dir"),
        ({"workspace_dir": f"{__file__}/worktrees"}, "workspace_dir"),
        ({"approval_timeout_s": 0}, "approval_timeout_s"),
        ({"approval_timeout_s": True}, "approval_timeout_s"),
        ({"pr_poll_interval_s": 1e300}, "pr_poll_interval_s"),
        ({"log_limit_bytes": 1}, "log_limit_bytes"),
        ({"commit_message": "shout"}, "commit_message"),
        ({"editor": {"remote_ssh_host": "host -oProxyCommand=x"}}, "editor.remote_ssh_host"),
        ({"editor": {"remote_ssh_host": "-oProxyCommand"}}, "editor.remote_ssh_host"),
        ([], "body"),
        ("{}", "body"),
        (None, "body"),
    ],
)
def test_an_impossible_value_is_named_and_changes_nothing(
    path: Path, body: object, field: str
) -> None:
    settings = ConfigFile(path)
    before = settings.patch({"theme": "DARK"})
    text = path.read_bytes()
    with pytest.raises(Invalid) as refusal:
        settings.patch(body)
    assert refusal.value.field == field
    assert settings.config == before
    assert path.read_bytes() == text


def test_bounds_are_told_to_the_last_digit(path: Path) -> None:
    for name, bounds in (
        ("log_limit_bytes", "1,048,576 to 1,125,899,906,842,624"),
        ("approval_timeout_s", "1 to 2,592,000"),
        ("silence_notice_s", "0 to 86,400"),
    ):
        with pytest.raises(Invalid) as refusal:
            ConfigFile(path).patch({name: -1})
        assert str(refusal.value) == f"{name}: must be from {bounds}"


@pytest.mark.parametrize("prefix", ["", "vk", "team_1", "évolution", "a.b"])
def test_prefixes_that_git_accepts_are_accepted(path: Path, prefix: str) -> None:
    assert ConfigFile(path).patch({"git_branch_prefix": prefix}).git_branch_prefix == prefix


def test_another_agent_does_not_inherit_the_variant(path: Path) -> None:
    settings = ConfigFile(path)
    settings.patch({"executor_profile": {"executor": "claude-code", "variant": "plan"}})
    assert settings.config.executor_profile.variant == "PLAN"
    settings.patch({"executor_profile": {"executor": "CLAUDE_CODE"}})
    assert settings.config.executor_profile.variant == "PLAN"
    settings.patch({"executor_profile": {"executor": "CURSOR"}})
    assert settings.config.executor_profile.executor is Executor.CURSOR_AGENT
    assert settings.config.executor_profile.variant is None


def test_unknown_keys_are_shown_and_survive_a_change_at_every_depth(path: Path) -> None:
    put(path, {"theme": "DARK", "future": {"a": 1}, "editor": {"tabs": 4}})
    settings = ConfigFile(path)
    settings.patch({"language": "JA", "future": {"b": 2}, "github": {"host": "x"}})
    for found in (stored(path), settings.public()):
        assert found["future"] == {"a": 1, "b": 2}
        assert found["editor"]["tabs"] == 4
        assert found["github"]["host"] == "x"


def test_a_value_of_the_wrong_type_costs_only_itself(path: Path) -> None:
    put(
        path,
        {
            "config_version": "v7",
            "theme": "SEPIA",
            "git_branch_prefix": "vk",
            "notifications": {"sound_enabled": "no", "sound_file": "ROOSTER"},
            "executor_profile": {"variant": "PLAN"},
            "github": {"pat": "kept"},
        },
    )
    settings = ConfigFile(path)
    config = settings.config
    assert config.theme is Theme.SYSTEM
    assert config.notifications.sound_enabled is True
    assert config.notifications.sound_file is SoundFile.ROOSTER
    assert config.executor_profile == Config().executor_profile
    assert (config.git_branch_prefix, config.github.pat) == ("vk", "kept")
    named = " ".join(settings.warnings)
    for field in ("theme", "notifications.sound_enabled", "executor_profile.executor"):
        assert field in named


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"", b"[" * 100_000])
def test_a_damaged_file_is_set_aside_and_not_lost(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    settings = ConfigFile(path)
    assert settings.config == Config()
    [aside] = path.parent.glob("config.json.damaged-*")
    assert aside.read_bytes() == content
    assert aside.name in settings.warnings[0]


def test_two_damaged_files_are_both_kept(path: Path) -> None:
    path.parent.mkdir()
    for content in ("one", "two"):
        path.write_text(content)
        ConfigFile(path)
    found = {file.read_text() for file in path.parent.glob("config.json.damaged-*")}
    assert found == {"one", "two"}


def test_what_somebody_edits_meanwhile_is_kept(path: Path) -> None:
    settings = ConfigFile(path)
    settings.patch({"theme": "DARK"})
    put(path, {**stored(path), "language": "KO"})
    config = settings.patch({"theme": "LIGHT"})
    assert (config.theme, config.language.value) == (Theme.LIGHT, "KO")


def test_settings_in_force_outlive_a_file_that_somebody_damages(path: Path) -> None:
    settings = ConfigFile(path)
    settings.patch({"github": {"pat": "precious"}})
    path.write_text("oops")
    settings.patch({"theme": "DARK"})
    assert stored(path)["github"]["pat"] == "precious"


def test_a_symbolic_link_to_the_file_stays_one(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    path.parent.mkdir()
    path.symlink_to(real)
    ConfigFile(path).patch({"theme": "DARK"})
    assert path.is_symlink()
    assert stored(real)["theme"] == "DARK"


def test_a_file_that_cannot_be_read_is_a_refusal_and_not_a_fresh_start(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(Unavailable, match=r"config\.json cannot be read"):
        ConfigFile(path)


def test_a_file_that_cannot_be_written_changes_nothing(path: Path) -> None:
    path.parent.write_text("not a directory")
    with pytest.raises(Unavailable):
        ConfigFile(path)
    path.parent.unlink()
    settings = ConfigFile(path)
    path.parent.symlink_to("/dev/null")
    with pytest.raises(Unavailable):
        settings.patch({"theme": "DARK"})
    assert settings.config.theme is Theme.SYSTEM


def test_an_absurdly_nested_body_is_refused_in_words(path: Path) -> None:
    settings = ConfigFile(path)
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"x": deep}
    try:
        with pytest.raises(Invalid, match="nested too deeply"):
            settings.patch(deep)
    finally:
        while deep:  # taken apart by hand: to let go of it all at once may overflow the stack
            deep = deep["x"]
    assert settings.patch({"theme": "DARK"}).theme is Theme.DARK
