"""Upgrading settings that older versions and vibe-kanban have written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from anyond.model.configuration.settings import Config, EditorType, Language, SoundFile, Theme
from anyond.settings.names import executor_named, variant_name

# Agents that once had a name of their own, each with its variant today.
_AGENTS = {
    "claude": ("CLAUDE_CODE", None),
    "claude-plan": ("CLAUDE_CODE", "PLAN"),
    "claude-code-plan": ("CLAUDE_CODE", "PLAN"),
    "claude-code-router": ("CLAUDE_CODE", None),
    "charm-opencode": ("OPENCODE", None),
    "sst-opencode": ("OPENCODE", None),
}
_COLOURS = {"PURPLE", "GREEN", "BLUE", "ORANGE", "RED"}
_NOTIFICATIONS = {
    "sound_alerts": "sound_enabled",
    "push_notifications": "push_enabled",
    "sound_file": "sound_file",
}
_OLD_VERSION = re.compile(r"v\d+")


def of_today(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`raw`, the content of a file of any age, with today's names, places and spellings.

    What has a meaning today keeps it; what has none stays where it is, as unknown keys do.
    """
    known = dict(raw)
    version = known.get("config_version")
    if version is None or (isinstance(version, str) and _OLD_VERSION.fullmatch(version)):
        known["config_version"] = Config().config_version
    _move_profile(known)
    _move_notifications(known)
    _move_token(known)
    _respell(known, "theme", Theme)
    if isinstance(known.get("theme"), str) and known["theme"].upper() in _COLOURS:
        known["theme"] = Theme.SYSTEM.value
    _respell(known, "language", Language)
    for section, key, kind in (
        ("editor", "editor_type", EditorType),
        ("notifications", "sound_file", SoundFile),
    ):
        if isinstance(inner := known.get(section), Mapping):
            known[section] = inner = dict(inner)
            _respell(inner, key, kind)
    return known


def _move_profile(known: dict[str, Any]) -> None:
    """`executor` of the first version, `profile` of the next ones: `executor_profile` today."""
    if "executor_profile" in known:
        return
    old = known.get("profile", known.get("executor"))
    name: object = old
    variant: object = None
    if isinstance(old, Mapping):
        name, variant = old.get("profile", old.get("type")), old.get("variant")
    if not isinstance(name, str):
        return
    agent, implied = _AGENTS.get(name, (name, None))
    found = executor_named(agent)
    if found is None:
        return
    chosen = variant_name(variant) if isinstance(variant, str) else implied
    known["executor_profile"] = {"executor": found.value, "variant": chosen}
    for key in ("profile", "executor"):
        known.pop(key, None)


def _move_notifications(known: dict[str, Any]) -> None:
    inner = known.get("notifications", {})
    if not isinstance(inner, Mapping) or not known.keys() & _NOTIFICATIONS.keys():
        return
    moved = {_NOTIFICATIONS[key]: known.pop(key) for key in _NOTIFICATIONS if key in known}
    known["notifications"] = {**moved, **inner}


def _move_token(known: dict[str, Any]) -> None:
    inner = known.get("github")
    if isinstance(inner, Mapping) and "token" in inner:
        # It never stays under its old name: as an unknown key it would be shown to clients.
        rest = {key: value for key, value in inner.items() if key != "token"}
        known["github"] = {**rest, "oauth_token": inner.get("oauth_token") or inner["token"]}


def _respell(known: dict[str, Any], key: str, kind: type[Enum]) -> None:
    """`vscode` and `vs-code` are VS_CODE; what is no value in any spelling stays as it is."""
    value = known.get(key)
    if isinstance(value, str):
        same = (member.value for member in kind if _letters(member.value) == _letters(value))
        known[key] = next(same, value)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).upper()
