"""Which versions of the agents' programs the tests try: the pinned ones, or the newest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.real_agents.npm_cache import PINNED

NPM = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
case "$1 $2" in
  "view @openai/codex") echo 99.0.0;;
  "view @google/gemini-cli") exit 1;;
  "view "*) echo {pinned};;
  install*)
    for last; do :; done
    case "$last" in
      @openai/codex@99.0.0) ;;
      *) echo "no such package $last" >&2; exit 1;;
    esac
    mkdir -p "$3/node_modules/@openai/codex-x/vendor/x/bin"
    for platform in linux-x64 linux-arm64 linux-x64-musl linux-arm64-musl darwin-x64 darwin-arm64
    do
      mkdir -p "$3/node_modules/@openai/codex-$platform/vendor/x/bin"
      touch "$3/node_modules/@openai/codex-$platform/vendor/x/bin/codex"
    done;;
esac
"""


def _installed(folder: Path, **environment: str) -> list[str]:
    """What installing all of them tells, with an npm that has few packages."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "npm").write_text(NPM.replace("{pinned}", PINNED["claude"][1]))
    (programs / "node").write_text("#!/bin/sh\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    reported = subprocess.run(
        [sys.executable, "-m", "tests.support.real_agents.npm_cache"],
        cwd=ROOT,
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "ANYON_TEST_CACHE": str(folder / "cache"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return reported.stdout.splitlines()


def test_the_newest_versions_are_those_that_npm_serves(tmp_path: Path) -> None:
    reported = _installed(tmp_path, ANYON_TEST_AGENTS="newest")
    lines = {line.split()[0].rstrip(":"): line for line in reported}
    assert set(lines) == set(PINNED)
    assert lines["codex"] == "codex: codex-99.0.0 is there"
    assert "is the pinned one" in lines["claude"]
    assert "does not say" in lines["gemini"]
    # Its newest version does not install, and that fails nothing.
    assert "could not install" in lines["droid"]
    served = json.loads((tmp_path / "cache" / "newest.json").read_text())
    assert (served["codex"], "gemini" in served) == ("99.0.0", False)


def test_without_that_word_they_are_the_pinned_ones(tmp_path: Path) -> None:
    reported = _installed(tmp_path)
    assert all("is left out" in line for line in reported)
    assert any(f"@openai/codex@{PINNED['codex'][1]}" in line for line in reported)


ASK = """
from tests.support.real_agents import npm_cache
try:
    npm_cache.program("droid")
except npm_cache.CannotInstall as why:
    print(why)
"""


@pytest.mark.parametrize("installed_before", [True, False])
def test_what_could_not_be_installed_is_tried_again_only_where_nobody_has_just_tried(
    tmp_path: Path, installed_before: bool
) -> None:
    _installed(tmp_path)
    asked = tmp_path / "bin" / "asked"
    asked.unlink()
    reported = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={
            "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
            "ANYON_TEST_CACHE": str(tmp_path / "cache"),
            **({"ANYON_TEST_AGENTS": "pinned"} if installed_before else {}),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert "npm could not install droid@" in reported.stdout
    assert asked.exists() is not installed_before
