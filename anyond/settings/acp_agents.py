"""The file `acp-agents.json`: agents that a person has laid over those that are shipped."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import ParamSpec

import msgspec
import structlog

from anyond.agents.acp.registry import registry_format
from anyond.agents.acp.registry.catalog import CATALOG, MOST, Catalog, KnownAgent, decode, encode
from anyond.editing import files
from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Invalid

P = ParamSpec("P")


class AcpAgentsFile:
    """Keeps the catalog as the file says; safe for several threads.

    Args:
        catalog: what the file is laid over.
    """

    def __init__(self, path: Path, catalog: Catalog = CATALOG) -> None:
        self.path = path
        self._catalog = catalog
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None

    def load(self) -> None:
        """Take in what another program has written meanwhile; blocks on the disk.

        What cannot be read is left out, with a sentence in the log.
        """
        with self._lock:
            stamp = self._look()
            if stamp == self._stamp:
                return
            self._stamp = stamp
            try:
                found, damage = files.read_object(self.path)
            except Unavailable as error:
                found, damage = None, str(error)
            agents, problems = ([], []) if found is None else decode(found)
            self._catalog.lay_over(agents)
            log = structlog.get_logger(__name__)
            for sentence in (damage, *problems[:20]):
                if sentence is not None:
                    log.warning(sentence, file=str(self.path))

    def before(self, check: Callable[P, None]) -> Callable[P, None]:
        """`check`, with the catalog as the file says now."""

        def checked(*args: P.args, **kwargs: P.kwargs) -> None:
            self.load()
            check(*args, **kwargs)

        return checked

    def refresh(self, source: Path | bytes) -> tuple[int, list[str]]:
        """Replace the file by what a list tells; blocks on the disk.

        Args:
            source: the bytes of a list; or a file of it; or a directory that holds one as
                `registry.json`, or one agent each as `*/agent.json`.

        Returns:
            How many agents it has now, and what is wrong with those that are left out.

        Raises:
            Invalid: there is no agent in it.
            Unavailable: it cannot be read, or the file not be written.
        """
        agents: list[KnownAgent] = []
        problems: list[str] = []
        for name, content in _contents(source):
            try:
                decoded = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                problems.append(f"{name}: is not JSON: {error}")
                continue
            more, wrong = registry_format.decode(decoded, self._catalog)
            agents += more
            problems += [f"{name}: {sentence}" for sentence in wrong]
        if not agents:
            raise Invalid("FILE", problems[0] if problems else "is no list of agents")
        files.write_object(self.path, encode({agent.id: agent for agent in agents}.values()))
        return len(agents), problems

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _contents(source: Path | bytes) -> Iterator[tuple[str, bytes]]:
    if isinstance(source, bytes):
        yield "FILE", source
        return
    whole = source / "registry.json" if source.is_dir() else source
    content = files.read(whole)
    if content is not None:
        yield whole.name, content
        return
    for path in islice(sorted(source.glob("*/agent.json")), MOST):
        content = files.read(path)
        if content is not None:
            yield f"{path.parent.name}/{path.name}", content
