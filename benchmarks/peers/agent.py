"""The fake agent that every peer runs: it notes when it was started, works, and waits if it should.

Its prompt says what it does: `change N` edits so many files of the worktree, `wait` lets it run on
until its gate is opened.
"""

from __future__ import annotations

import sys
from pathlib import Path

_PROGRAM = """#!{python} -IS
import json, os, pathlib, re, sys, time
began = time.monotonic_ns()
place = pathlib.Path({place!r})
said = sys.stdin.readline()
(place / f"started-{{os.getpid()}}").write_text(str(began))

def say(**message):
    print(json.dumps({{"session_id": "T-1", **message}}), flush=True)

say(type="system", subtype="init", cwd=os.getcwd(), tools=[], mcp_servers=[])
asked = re.search(r"change (\\d+)", said)
if asked:
    files = sorted(pathlib.Path().glob("*/*/*.py"))
    for n, file in enumerate(files[:: max(1, len(files) // int(asked[1]))]):
        file.write_text(file.read_text().replace("value", "changed", 5) + "more = True\\n")
while "wait" in said and not (place / "gate").exists():
    time.sleep(0.05)
text = [{{"type": "text", "text": "Done."}}]
say(type="assistant", message={{"role": "assistant", "content": text}})
say(type="result", subtype="success", is_error=False, result="Done.", num_turns=1, duration_ms=1)
"""


def write(place: Path) -> Path:
    """An executable that notes its starts in `place`, and waits for the file `gate` there."""
    place.mkdir(parents=True, exist_ok=True)
    program = place / "agent"
    program.write_text(_PROGRAM.format(python=sys.executable, place=str(place)))
    program.chmod(0o755)
    return program


def starts(place: Path) -> list[int]:
    """The times at which agents were started, in nanoseconds of the monotonic clock, in order."""
    found = [file.read_text() for file in place.glob("started-*")]
    return sorted(int(text) for text in found if text)
