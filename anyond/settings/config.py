"""The file `config.json`: what a person has set, and what may be set."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import structlog

from anyond.editing import files
from anyond.host.ownership import weakness
from anyond.model.configuration.settings import Config
from anyond.model.refusals.requests import Invalid
from anyond.settings.config_upgrade import of_today
from anyond.settings.declared import single_settings
from anyond.settings.names import executor_named, variant_name
from anyond.settings.shape import fit, merge, with_unknown

MASK = "********"
"""What is shown instead of a secret; sent back, it keeps the secret."""


class ConfigFile:
    """The settings of one person; safe to use from several threads.

    What does not fit (an unknown theme, a number where a text belongs) is that value's default and
    a sentence in `warnings`, which are those of the latest reading; keys that we do not know are
    kept. So files of other versions, and of vibe-kanban, keep all that still has a meaning.
    """

    def __init__(self, path: Path) -> None:
        """Read `path`; a missing file is one full of defaults, a damaged one is set aside.

        Raises:
            Unavailable: the file is there, but cannot be read.
        """
        self.path = path
        self.warnings: list[str] = []
        self._earlier: list[str] = []  # those of the reading before
        self._lock = threading.Lock()
        self._followers: list[Callable[[], None]] = []
        self._foreign = False  # the file says something that we will not write again
        self._config = Config()
        self._stored: dict[str, Any] = msgspec.to_builtins(self._config)
        self._load()

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._config

    def public(self) -> dict[str, Any]:
        """The whole file for a client: unknown keys included, secrets masked."""
        masked = dict(self._stored)
        for *objects, name in _secrets():
            inner = masked
            for key in objects:
                inner[key] = dict(inner[key])
                inner = inner[key]
            if inner[name]:
                inner[name] = MASK
        return masked

    def patch(self, body: object) -> Config:
        """Lay a partial JSON object over the settings and write them durably. Blocks on the disk.

        Objects are merged key by key. Null clears what can be null and keeps what cannot. `MASK`
        in the place of a secret keeps it. What somebody has edited in the file meanwhile is kept.

        Raises:
            Invalid: a value is not possible; it is named by its dotted path, and nothing changed.
            Unavailable: the file could not be written; nothing changed.
        """
        if not isinstance(body, Mapping):
            raise Invalid("body", "must be a JSON object")
        with self._lock:
            self._load()
            try:
                merged = merge(Config, self._stored, _prepared(body, self._stored))
                config, flaws = fit(Config, merged)
                if flaws:
                    raise Invalid(*flaws[0])
                if config.workspace_dir and config.workspace_dir != self._config.workspace_dir:
                    _be_usable(Path(config.workspace_dir))
                stored = with_unknown(msgspec.to_builtins(config), merged)
                self._keep_foreign()
                files.write_object(self.path, stored)
            except RecursionError as error:
                raise Invalid("body", "is nested too deeply") from error
            self._config, self._stored = config, stored
        for changed in list(self._followers):
            changed()
        return self._config

    @contextmanager
    def following(self, changed: Callable[[], None]) -> Iterator[None]:
        """Have `changed` called after each `patch`, in the thread of that, which it must not hold
        up."""
        self._followers.append(changed)
        try:
            yield
        finally:
            self._followers.remove(changed)

    def _load(self) -> None:
        self._earlier, self.warnings = self.warnings, []
        found, damage = files.read_object(self.path)
        if damage is not None:
            self._warn(damage)
        if found is None:
            return  # what is in memory is the best that is known
        recent = of_today(found)
        raw = _upgraded(recent)
        config, flaws = fit(Config, raw)
        for path, problem in flaws:
            self._warn(f"{self.path}: {path} {problem}; its default is in force.")
        self._foreign = bool(flaws) or recent != {
            "config_version": Config().config_version,
            **found,
        }
        self._config = config
        self._stored = with_unknown(msgspec.to_builtins(config), raw)

    def _keep_foreign(self) -> None:
        if self._foreign and (copy := files.keep_copy(self.path)) is not None:
            self._foreign = False
            log = structlog.get_logger(__name__)
            log.info("settings_upgraded", file=str(self.path), before=copy.name)

    def _warn(self, sentence: str) -> None:
        self.warnings.append(sentence)
        if sentence not in self._earlier:
            structlog.get_logger(__name__).warning(sentence)


def _prepared(body: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The request as it is meant: other spellings understood, masks taken out."""
    change = _upgraded(body)
    for path in _secrets():
        change = _without_mask(change, path)
    profile = change.get("executor_profile")
    # The variant of one agent means nothing to another.
    if (
        isinstance(profile, Mapping)
        and "variant" not in profile
        and isinstance(executor := profile.get("executor"), str)
        and executor != stored["executor_profile"]["executor"]
    ):
        change["executor_profile"] = {**profile, "variant": None}
    return change


@cache
def _secrets() -> tuple[tuple[str, ...], ...]:
    """The places of the settings that no client is shown."""
    return tuple(path for path, setting in single_settings(Config) if setting.secret)


def _without_mask(change: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """`change`, where what `path` leads to is left out if it is only `MASK`."""
    key, *rest = path
    made = dict(change)
    if rest and isinstance(inner := made.get(key), Mapping):
        made[key] = _without_mask(inner, tuple(rest))
    elif not rest and made.get(key) == MASK:
        del made[key]
    return made


def _upgraded(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`raw` with names spelled in our way, and blank texts as the nulls that they mean."""
    known = dict(raw)
    profile = known.get("executor_profile")
    if isinstance(profile, Mapping):
        profile = dict(profile)
        if isinstance(name := profile.get("executor"), str):
            profile["executor"] = executor_named(name) or name
        if isinstance(variant := profile.get("variant"), str):
            profile["variant"] = variant_name(variant) or variant
        known["executor_profile"] = profile
    if known.get("workspace_dir") == "":
        known["workspace_dir"] = None
    for section in ("editor", "github"):
        if isinstance(inner := known.get(section), Mapping):
            known[section] = {k: None if v == "" else v for k, v in inner.items()}
    return known


def _be_usable(directory: Path) -> None:
    """Refuse a place in which no worktree could be made, when somebody chooses it.

    Only then: later its disk may be away for a while, and be meant all the same.
    """
    there = next(path for path in (directory, *directory.parents) if os.path.lexists(path))
    if not os.path.isdir(there):
        raise Invalid("workspace_dir", f"cannot be used, since {there} is not a directory")
    try:
        longest = os.pathconf(there, "PC_NAME_MAX")
        missing = directory.parts[len(there.parts) :]
        if any(len(os.fsencode(part)) > longest for part in missing):
            raise Invalid("workspace_dir", f"cannot be used: a name in it has over {longest} bytes")
        problem = weakness(there) if there == directory else None
    except OSError as error:
        why = f"cannot be used: {there}: {error.strerror}"
        raise Invalid("workspace_dir", why) from error
    if problem is not None:
        raise Invalid("workspace_dir", f"cannot be used: {problem}")
