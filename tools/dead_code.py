"""The check that nothing of Anyon is left that nothing uses.

`python -m tools.dead_code` prints each function, class, method, attribute and import whose name is
used nowhere (vulture finds them), and each row of `ALLOWED` that allows nothing any more.
Fields of the model are not looked at: clients read them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from vulture import Vulture  # type: ignore[import-untyped]

LOOKED_AT = ("anyond", "tools")
USERS = ("benchmarks", "campaigns", "tests")
FIELDS = ("anyond/model/", "anyond/shim/spool/files.py")

COMMANDS = ["@click.command", "@click.group", "@*.command", "@*.group"]
"""The decorators of commands, which click calls."""

ALLOWED = {
    "__getattr__": "the import system calls it",
    "_value_": "enum asks for it",
    "command_class": "click asks for it",
    "StartElementHandler": "expat calls it",
    "exc_info": "an attribute of a record of logging",
    "logger": "structlog calls its processors with it",
    "request_class": "Quart asks for it",
    "url_rule_class": "Quart asks for it",
    "strict_slashes": "werkzeug asks for it",
    "merge_slashes": "werkzeug asks for it",
    "handle_user_exception": "Quart calls it",
    "handle_exception": "Quart calls it",
    "_check_protocol": "Hypercorn calls it",
    "_create_stream": "Hypercorn calls it",
    "logger_class": "Hypercorn asks for it",
    "include_server_header": "Hypercorn asks for it",
    "websocket_max_message_size": "Hypercorn asks for it",
    "websocket_ping_interval": "Hypercorn asks for it",
    "text_factory": "sqlite3 asks for it",
    "get_loop": "aiosqlite calls it",
    "__cause__": "tracebacks show it",
    "num_turns": "a field of what Claude Code says",
    "verified": "a field of what GitHub answers",
    "pid_started": "a field of what shims write",
    "DEBUG": "a value that settings can have",
    "find_spec": "the import system calls it",
    "exec_module": "the import system calls it",
    "pytest_collection_modifyitems": "pytest calls it",
    "pytest_runtest_logreport": "pytest calls it",
    "pytest_runtestloop": "pytest calls it",
    "tempdir": "tempfile asks for it",
}
"""What something outside of Anyon uses, by name, and what that is."""


def findings(root: Path) -> Iterator[str]:
    """A line for each place, and for each row that allows nothing."""
    vulture = Vulture(ignore_decorators=COMMANDS)
    vulture.scavenge([str(root / name) for name in (*LOOKED_AT, *USERS) if (root / name).is_dir()])
    met = set()
    for item in vulture.get_unused_code(min_confidence=60):
        path = item.filename.relative_to(root).as_posix()
        field = path.startswith(FIELDS) and item.typ in {"variable", "attribute"}
        if field or path.split("/")[0] not in LOOKED_AT:
            continue
        met.add(item.name)
        if item.name not in ALLOWED:
            yield f"{path}:{item.first_lineno}: {item.typ} {item.name} is used nowhere"
    for name in sorted(ALLOWED.keys() - met):
        yield f"tools/dead_code.py: the row of {name} allows nothing any more"


def main() -> None:
    """Print the findings; exit code 1 if there are any."""
    found = list(findings(Path.cwd()))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
