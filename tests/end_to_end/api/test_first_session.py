"""The first session of the documentation is typed as it stands there, and works."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.support.daemon import TIMEOUT_S, Daemon
from tests.support.paths import ROOT, SCRIPTED_PROGRAMS

PAGE = ROOT / "docs" / "first-session.md"
ELSEWHERE = "# in another terminal\n"


def typed(url: str) -> str:
    """All blocks as one script; what belongs into another terminal runs in a shell of its own.

    That one knows the block of the beginning, as the page says, and nothing else.
    """
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    script = "set -uo pipefail\n"
    for number, block in enumerate(blocks):
        if block.startswith(ELSEWHERE):
            terminal = shlex.quote(f"set -u\n{blocks[0]}{block}")
            script += f"bash -c {terminal} > elsewhere-{number}.txt 2>&1 &\n"
            script += f"until [ -s elsewhere-{number}.txt ]; do sleep 0.05; done\n"
        else:
            script += re.sub(r"^(?=api |curl |ws )", "echo '>'; ", block, flags=re.MULTILINE)
    return script.replace("http://127.0.0.1:8096", url) + "kill $(jobs -p)\n"


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    """One in which the demonstration agent does not wait for anybody to watch."""
    made = Daemon(tmp_path / "daemon")
    made.environment["ANYON_DEMO_PACE"] = "0"
    async with made:
        yield made


async def test_the_first_session_works_as_it_is_written(daemon: Daemon) -> None:
    programs = daemon.root / "programs"
    programs.mkdir()
    stand_ins = {"jq": "jq_program.py"}
    if shutil.which("curl") is None:  # a fresh Debian has none
        stand_ins["curl"] = "curl_program.py"
    for name, file in stand_ins.items():
        fake = SCRIPTED_PROGRAMS / file
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {fake} "$@"\n')
        (programs / name).chmod(0o755)
    # As it is installed.
    (programs / "anyon").write_text(f'#!/bin/sh\nexec {sys.executable} -m anyond "$@"\n')
    (programs / "anyon").chmod(0o755)
    own = daemon.home / ".claude.json"
    servers = {"mine": {"command": "one-of-my-own", "args": ["--here"]}}
    own.write_text(json.dumps({"mcpServers": servers}))
    transcript = daemon.root / "said.txt"
    with transcript.open("wb") as out, trio.move_on_after(4 * TIMEOUT_S):
        await trio.run_process(
            ["bash", "-c", typed(daemon.url)],
            env=daemon.environment,
            cwd=daemon.root,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    output = transcript.read_text()
    lines = output.splitlines()
    # That nothing is queued any more, and nothing uncommitted.
    assert lines.count("false") == 2, output
    for wrong in ('"success":false', "command not found", "curl:", "jq:", "unbound"):
        assert wrong not in output, output
    assert "null" not in lines, output
    for right in ("approved", "codingagent", "tea/timer", "done", "202"):
        assert right in lines, output
    elsewhere = [file.read_text() for file in daemon.root.glob("elsewhere-*.txt")]
    for right in ("event: process_completed", '"type":"ready"'):
        assert any(right in received for received in elsewhere), (right, elsewhere)
    assert sum('{"type":"snapshot","data":[{' in received for received in elsewhere) == 2, elsewhere
    assert json.loads(own.read_text()) == {"mcpServers": servers}
