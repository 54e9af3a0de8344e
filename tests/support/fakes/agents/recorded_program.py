"""A program that says what another one has said: the lines of a recording, once it has its prompt.

Run it as `python recorded_program.py FIRST RESUMED [arguments of Claude Code]`: it plays the
recording FIRST, or RESUMED if a session is resumed, after it has read the handshake and the
prompt; then it waits for the end of its input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    first, resumed, *arguments = sys.argv[1:]
    played = Path(resumed if "--resume" in arguments else first)
    for _ in range(2):
        sys.stdin.readline()
    for row in map(json.loads, played.read_text(encoding="utf-8").splitlines()):
        if row["dir"] == "out":
            print(row["line"], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
