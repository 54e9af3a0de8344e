"""A script of a project that asks the daemon this and that, as an agent could, from inside."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Any, NamedTuple

from tests.support.daemon import Daemon

SOURCE = """
import http.client, json, os, sys
if os.path.exists(sys.argv[2]):
    sys.exit()  # what it makes has the same script
host = os.environ["ANYON_URL"].removeprefix("http://")
found = []
for method, path, body, with_token in json.load(open(sys.argv[1])):
    for number, earlier in enumerate(found):
        ours = (earlier[1].get("data") or {}) if isinstance(earlier[1].get("data"), dict) else {}
        path = path.replace("$%d" % number, ours.get("id", "?"))
        body = json.loads(json.dumps(body).replace("$%d" % number, ours.get("id", "?")))
    client = http.client.HTTPConnection(host)
    headers = {"Content-Type": "application/json"}
    if with_token:
        headers["Authorization"] = "Bearer " + os.environ["ANYON_TOKEN"]
    client.request(method, path, None if body is None else json.dumps(body), headers)
    answer = client.getresponse()
    found.append([answer.status, json.loads(answer.read())])
    client.close()
json.dump(found, open(sys.argv[2], "w"))
"""


class Ask(NamedTuple):
    """One request; `$0` in it is the id in the answer to the first one."""

    method: str
    path: str
    body: Any = None
    with_token: bool = True


class Answer(NamedTuple):
    """What came of it."""

    status: int
    data: Any
    type: str | None
    message: str | None


def script(daemon: Daemon, name: str = "asking") -> str:
    """The command line of the script, which asks what `put` says and is read by `answers`."""
    source, asks, out = (daemon.root / f"{name}.{kind}" for kind in ("py", "asks", "out"))
    source.write_text(SOURCE)
    return shlex.join([sys.executable, "-I", str(source), str(asks), str(out)])


def put(daemon: Daemon, *asks: Ask, name: str = "asking") -> None:
    """Have the script ask this when it runs next, once."""
    (daemon.root / f"{name}.out").unlink(missing_ok=True)
    (daemon.root / f"{name}.asks").write_text(json.dumps(asks))


def answers(daemon: Daemon, name: str = "asking") -> list[Answer]:
    """The answers to all that it has asked."""
    found = []
    for status, body in json.loads((daemon.root / f"{name}.out").read_text()):
        problem = body["error_data"] or {}
        found.append(Answer(status, body["data"], problem.get("type"), body["message"]))
    return found
