"""Where the real agents of the tests come from that are Python programs: pinned, installed once.

They go to the cache of `npm_cache`, each with an environment of its own, made beside its place and
then told to be whole by a file in it: the scripts of an environment know where it is.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.real_agents import npm_cache
from tests.support.real_agents.npm_cache import CannotInstall

PINNED = {"mistral-vibe": ("mistral-vibe", "3.0.2", "vibe-acp", (3, 12))}
"""Package, version, program, and the oldest Python that it runs on."""

TIMEOUT_S = 500.0

_failed: dict[str, str] = {}


def program(name: str) -> Path:
    """The program of one of `PINNED`.

    Raises:
        CannotInstall: there is no Python for it, or pip failed.
    """
    package, version, script, oldest = PINNED[name]
    if npm_cache.NEWEST:
        raise CannotInstall(f"The newest version of {name} is not looked for.")
    place = npm_cache.cache() / f"{package}-{version}"
    whole = place / "whole"
    if not whole.exists():
        if name in _failed:
            raise CannotInstall(_failed[name])
        place.parent.mkdir(parents=True, exist_ok=True)
        with (place.parent / f".{place.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second finds it there
            if not whole.exists():
                try:
                    _install(place, f"{package}=={version}", oldest)
                except CannotInstall as why:
                    _failed[name] = str(why)
                    raise
                whole.touch()
    return place / "bin" / script


def _install(place: Path, what: str, oldest: tuple[int, int]) -> None:
    shutil.rmtree(place, ignore_errors=True)
    _run(_python(oldest), "-m", "venv", str(place))
    _run(str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--no-input", what)


def _python(oldest: tuple[int, int]) -> str:
    names = [f"python3.{minor}" for minor in range(oldest[1], oldest[1] + 4)]
    homes = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python")))
    probe = f"import sys, venv; sys.exit(sys.version_info[:2] < {oldest})"
    for candidate in [*filter(None, map(shutil.which, names)), *homes]:
        if not subprocess.run(
            [candidate, "-c", probe], capture_output=True, check=False
        ).returncode:
            return candidate
    raise CannotInstall(f"No Python of {oldest[0]}.{oldest[1]} or later is here.")


def _run(*argv: str) -> None:
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"{argv[0]} did not end within {TIMEOUT_S:g} seconds.") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CannotInstall(f"pip could not install {argv[-1]}: {last}")
