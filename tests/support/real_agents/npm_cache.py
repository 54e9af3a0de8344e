"""Where the real agent programs of the tests come from: npm packages, installed once.

They go to `<cache>/<name>-<version>`; the cache is `$ANYON_TEST_CACHE` or `.cache/agents` in the
repository. An install is made beside its place and then renamed, so that a broken one is never
used and two test runs can share a cache.

The version is the pinned one. With `ANYON_TEST_AGENTS=newest` it is the one that npm served when
`python -m tests.support.real_agents.npm_cache` last asked; an agent whose pin is the newest has
nothing to be tried then, and one whose newest version does not install is left out.

What that program could not install is not tried again by the tests that `make test-agents` runs
after it: each of their processes would wait for npm once more.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import ssl
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.paths import ROOT

PINNED = {
    "claude": (
        "@anthropic-ai/claude-code",
        "2.1.332",
        "@anthropic-ai/claude-code-{platform}/claude",
    ),
    "codex": ("@openai/codex", "0.171.0", "@openai/codex-{platform}/vendor/*/bin/codex"),
    "gemini": ("@google/gemini-cli", "0.61.0", ".bin/gemini"),
    "qwen": ("@qwen-code/qwen-code", "0.24.4", ".bin/qwen"),
    "opencode": ("opencode-ai", "1.18.33", "opencode-{platform}/bin/opencode"),
    "copilot": ("@github/copilot", "1.0.102", "@github/copilot-{platform}/copilot"),
    "droid": ("droid", "0.215.0", "@factory/cli-{platform}/bin/droid"),
    "claude-agent-acp": (
        "@agentclientprotocol/claude-agent-acp",
        "0.101.0",
        ".bin/claude-agent-acp",
    ),
    "codex-acp": ("@agentclientprotocol/codex-acp", "2.6.0", ".bin/codex-acp"),
    "kilo": ("@kilocode/cli", "7.7.7", "@kilocode/cli-{platform}/bin/kilo"),
    "cline": ("cline", "3.0.65", "@cline/cli-{platform}/bin/cline"),
    "old-codex-acp": (
        "@zed-industries/codex-acp",
        "0.16.0",
        "@zed-industries/codex-acp-{platform}/bin/codex-acp",
    ),
}
"""Package, version and program (a pattern below `node_modules`) of each agent.

The native program where there is one: a script before it would add a process that signals must
cross.
"""

AT_ONCE = 2

CHOSEN = os.environ.get("ANYON_TEST_AGENTS")
"""`pinned` or `newest` if they have been installed already, as far as that is possible."""

NEWEST = CHOSEN == "newest"
"""Whether the newest versions are wanted instead of the pinned ones."""

NEWEST_FILE = "newest.json"
"""In the cache: the newest version of each agent, as npm served it last."""

LEFT_OUT_FILE = "left-out.json"
"""In the cache: what could not be installed when that was tried last, and why."""

PATIENCE = ("--fetch-retries=2", "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=10000")
"""Where there is no network, npm says so within seconds, and not after minutes."""

_failed: dict[str, str] = {}
"""What could not be installed, and why: it is not tried again for every test."""


class CannotInstall(Exception):
    """Why a package is not there: one sentence, meant as the reason of a skipped test."""


def program(name: str) -> Path:
    """The program of one of `PINNED`.

    Raises:
        CannotInstall: there is no npm, it failed, or the platform has no such program.
    """
    package, version, place = PINNED[name]
    if NEWEST:
        version = _newest(name)
    where = _installed(package, version) / "node_modules"
    found = next(where.glob(place.format(platform=_platform())), None)
    if found is None or not found.is_file():
        raise CannotInstall(f"{package} has no program for {_platform()}.")
    return found


def main() -> None:
    """Install all of them, so that no test has to wait for it; what fails is told and left out."""
    cache().mkdir(parents=True, exist_ok=True)
    (cache() / LEFT_OUT_FILE).unlink(missing_ok=True)
    if NEWEST:
        _look_up_newest()
    with ThreadPoolExecutor(AT_ONCE) as hands:
        for line in hands.map(_report, PINNED):
            print(line, flush=True)
    (cache() / LEFT_OUT_FILE).write_text(json.dumps(_failed, indent=2))


def _report(name: str) -> str:
    try:
        found = program(name)
    except CannotInstall as why:
        return f"{name} is left out: {why}"
    installed = next(p for p in found.parents if p.parent == cache())
    return f"{name}: {installed.name} is there"


def _look_up_newest() -> None:
    with ThreadPoolExecutor(AT_ONCE) as hands:
        found = hands.map(lambda name: _served(PINNED[name][0]), PINNED)
        served = {name: version for name, version in zip(PINNED, found, strict=True) if version}
    (cache() / NEWEST_FILE).write_text(json.dumps(served, indent=2))


def _served(package: str) -> str:
    """The version that npm calls the latest; "" if it cannot say."""
    npm = shutil.which("npm")
    if npm is None:
        return ""
    try:
        asked = subprocess.run(
            [npm, "view", package, "dist-tags.latest", *PATIENCE],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        return ""
    return "" if asked.returncode else asked.stdout.strip()


def _newest(name: str) -> str:
    try:
        served = json.loads((cache() / NEWEST_FILE).read_text())
    except FileNotFoundError:
        raise CannotInstall("Nobody has asked npm for the newest versions.") from None
    version = served.get(name)
    if not version:
        raise CannotInstall(f"npm does not say which version of {PINNED[name][0]} is the newest.")
    if version == PINNED[name][1]:
        raise CannotInstall(f"The newest version of {name} is the pinned one, {version}.")
    return str(version)


def _installed(package: str, version: str) -> Path:
    place = cache() / f"{package.rsplit('/', 1)[-1]}-{version}"
    if place.is_dir():
        return place
    if (why := _failed.get(place.name) or _left_out().get(place.name)) is not None:
        raise CannotInstall(why)
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise CannotInstall(f"Node.js and npm are needed to install {package}.")
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f".{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second finds it there
        if not place.is_dir():
            _install_at(place, npm, f"{package}@{version}")
    return place


def _left_out() -> dict[str, str]:
    if CHOSEN is None:
        return {}
    try:
        found: dict[str, str] = json.loads((cache() / LEFT_OUT_FILE).read_text())
    except FileNotFoundError:
        return {}
    return found


def _install_at(place: Path, npm: str, what: str) -> None:
    attempt = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        _install(npm, attempt, what)
        attempt.rename(place)
    except CannotInstall as why:
        _failed[place.name] = str(why)
        raise
    finally:
        shutil.rmtree(attempt, ignore_errors=True)


def _install(npm: str, folder: Path, what: str) -> None:
    flags = ("--ignore-scripts", "--no-audit", "--no-fund", *PATIENCE)
    try:
        done = subprocess.run(
            [npm, "install", "--prefix", str(folder), *flags, what],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=300,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"npm did not install {what} within 300 seconds.") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CannotInstall(f"npm could not install {what}: {last}")


def _environment() -> dict[str, str]:
    """Node trusts a list of its own; behind a proxy only the system's knows whom to trust."""
    trusted = ssl.get_default_verify_paths().cafile
    more = {} if trusted is None else {"NODE_EXTRA_CA_CERTS": trusted}
    return {**more, **os.environ}


def cache() -> Path:
    """Where all of them are."""
    chosen = os.environ.get("ANYON_TEST_CACHE")
    return Path(chosen) if chosen else ROOT / ".cache" / "agents"


def _platform() -> str:
    system = {"linux": "linux", "darwin": "darwin"}.get(sys.platform, sys.platform)
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
    name = f"{system}-{machine.get(platform.machine().lower(), platform.machine())}"
    musl = system == "linux" and platform.libc_ver()[0] != "glibc"
    return f"{name}-musl" if musl else name


if __name__ == "__main__":
    main()
