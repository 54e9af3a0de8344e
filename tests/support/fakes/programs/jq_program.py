"""`jq` where there is none: the same filters by its own library, with the options -r and -e."""

from __future__ import annotations

import json
import sys

import jq


def main(options: str, program: str) -> int:
    """Print what the filter makes of standard input; the exit code is jq's."""
    last: object = None
    for last in jq.compile(program).input_text(sys.stdin.read()):
        raw = "r" in options and isinstance(last, str)
        print(last if raw else json.dumps(last, indent=2, ensure_ascii=False))
    return int("e" in options and last in (None, False))


if __name__ == "__main__":
    *given, what = sys.argv[1:]
    sys.exit(main("".join(given), what))
