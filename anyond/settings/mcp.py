"""Reading and writing the MCP servers in another program's own file, with care."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anyond.editing import files, json_text, toml_text
from anyond.model.refusals.files import BrokenConfig, ChangedMeanwhile

_TRIES = 5
_writing = threading.Lock()
BACKUP = "before-anyon"

Servers = dict[str, Any]


class McpFile:
    """One file in which an agent keeps its MCP servers. All methods block on the disk.

    Args:
        path: the file, which need not exist.
        servers_path: the keys that lead to the servers.
        template: what a new file holds.
        toml: whether it is TOML instead of JSON.
    """

    def __init__(
        self, path: Path, servers_path: tuple[str, ...], template: Mapping[str, Any], *, toml: bool
    ) -> None:
        self.path = path
        self._servers_path = servers_path
        self._template = template
        self._toml = toml

    def read(self) -> Servers:
        """The servers that are configured.

        Raises:
            Conflict: the file is damaged, or has something else where the servers belong.
            Unavailable: it cannot be read.
        """
        return self._servers(self._text(files.read(self.path)))

    def write(self, servers: Servers) -> int:
        """Replace all servers; everything else in the file stays as it is, comments too.

        The file is replaced at once, keeps its mode, and stays a symbolic link if it is one.
        Before Anyon changes a file for the first time it is copied to `<name>.before-anyon`. If
        somebody writes to it meanwhile, the change is made to what they wrote.

        Returns:
            How many servers there were before.

        Raises:
            Conflict: see `read`; or the file does not stop changing. It is unchanged.
            Unavailable: it could not be written; it is unchanged.
        """
        with _writing:
            for _ in range(_TRIES):
                found = files.read(self.path)
                text = self._text(found)
                before = self._servers(text)
                new = self._replaced(text, servers).encode()
                if new == found:
                    return len(before)
                if found is not None:
                    self._back_up(found)
                if self._write_over(found, new):
                    return len(before)
        raise ChangedMeanwhile(str(self.path))

    def _text(self, content: bytes | None) -> str:
        if content is None:
            return ""
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise self._broken("It is not UTF-8.") from error

    def _servers(self, text: str) -> Servers:
        found: Any = {}
        if text.strip("\ufeff \t\r\n"):
            try:
                bare = text.removeprefix("\ufeff")
                found = toml_text.decode(bare) if self._toml else json_text.decode(text)
            except (toml_text.NotToml, json_text.NotJson) as error:
                raise self._broken(str(error)) from error
        for depth, key in enumerate(("", *self._servers_path)):
            if depth and found is not None:
                found = found.get(key)
            if found is not None and not isinstance(found, dict):
                raise self._broken(
                    f"{key!r} is not an object there." if key else "It is no object."
                )
        return found or {}

    def _replaced(self, text: str, servers: Servers) -> str:
        try:
            if self._toml:
                mark = "\ufeff" if text.startswith("\ufeff") else ""
                (key,) = self._servers_path
                return mark + toml_text.replace(text.removeprefix("\ufeff"), key, servers)
            if not text.strip("\ufeff \t\r\n"):
                text = json_text.replace("{}", (), self._template) + "\n"
            new = json_text.replace(text, self._servers_path, servers)
        except (toml_text.NotToml, json_text.NotJson) as error:
            raise self._broken(str(error)) from error
        if json_text.decode(new) != json_text.nested(
            json_text.decode(text), self._servers_path, servers
        ):
            raise self._broken("It is written in a way that cannot be changed safely.")
        return new

    def _write_over(self, old: bytes | None, new: bytes) -> bool:
        """Write `new`, unless somebody has written something else than `old` meanwhile."""
        mode = self._mode()
        return files.write(self.path, new, mode, only_if=lambda: files.read(self.path) == old)

    def _back_up(self, content: bytes) -> None:
        """Keep the file as it was before Anyon ever touched it."""
        backup = self.path.with_name(f"{self.path.name}.{BACKUP}")
        if not backup.exists():
            files.write(backup, content, self._mode())

    def _mode(self) -> int:
        try:
            return stat.S_IMODE(os.stat(self.path).st_mode)
        except FileNotFoundError:
            return 0o600  # servers may hold keys

    def _broken(self, why: str) -> BrokenConfig:
        return BrokenConfig(str(self.path), why)
