"""Another program's file is changed in one place, and every other character stays."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.editing import files, json_text, toml_text
from anyond.model.errors import Conflict, Unavailable
from anyond.settings.mcp import McpFile

COMMENTED = """\
// what I like
{
  "theme": "dark", // at night
  /* servers of mine */
  "mcpServers": {
    // the first one
    "x": {"command": "x", "args": []}, // x!
    "y": {
      "command": "y", // why
      "env": {"A": "1"}
    } // y!
    // the end
  },
  "list": [1, 2,],
}
"""


def json_file(path: Path) -> McpFile:
    return McpFile(path, ("mcpServers",), {"mcpServers": {}}, toml=False)


def toml_file(path: Path) -> McpFile:
    return McpFile(path, ("mcp_servers",), {"mcp_servers": {}}, toml=True)


def test_only_what_changes_is_touched() -> None:
    needed = {"y": {"command": "y", "env": {"A": "2", "B": "3"}}, "n": {"url": "u"}}
    assert json_text.replace(COMMENTED, ("mcpServers",), needed) == COMMENTED.replace(
        '    "x": {"command": "x", "args": []}, // x!\n', ""
    ).replace('{"A": "1"}', '{"A": "2", "B": "3"}').replace(
        "    } // y!\n", '    }, // y!\n    "n": {\n      "url": "u"\n    }\n'
    )


def test_what_is_as_it_should_be_keeps_its_text() -> None:
    same = {"x": {"args": [], "command": "x"}, "y": {"command": "y", "env": {"A": "1"}}}
    assert json_text.replace(COMMENTED, ("mcpServers",), same) == COMMENTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", '{\n  "mcpServers": {\n    "n": {\n      "url": "u"\n    }\n  }\n}'),
        ('{"a":1}', '{"a":1, "mcpServers": {"n": {"url": "u"}}}'),
        ('{"mcpServers":{"a":{}, "b": {}}}', '{"mcpServers":{"n": {"url": "u"}}}'),
        (
            '{\r\n\t"a": 1\r\n}\r\n',
            '{\r\n\t"a": 1,\r\n\t"mcpServers": {\r\n\t\t"n": {\r\n\t\t\t"url": "u"\r\n\t\t}\r\n\t}'
            "\r\n}\r\n",
        ),
    ],
)
def test_what_is_new_looks_like_what_is_there(text: str, expected: str) -> None:
    assert json_text.replace(text, ("mcpServers",), {"n": {"url": "u"}}) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", 'c"', "d\n", "mcpServers"]), VALUES)


@pytest.mark.thorough
@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(data=st.data(), old=OBJECTS, servers=st.dictionaries(st.sampled_from("abcd"), VALUES))
def test_whatever_the_text_looks_like_the_result_says_what_is_wanted(
    data: st.DataObject, old: dict[str, Any], servers: dict[str, Any]
) -> None:
    if not isinstance(old.get("mcpServers"), dict):
        old["mcpServers"] = {}
    trivia = st.sampled_from(["", " ", "\n", "\n  ", " // c\n", "/* c */", "\t"])

    def written(value: Any) -> str:
        def gap() -> str:
            return data.draw(trivia)

        if isinstance(value, dict):
            members = [f"{gap()}{json.dumps(k)}{gap()}:{gap()}{written(v)}{gap()}" for k, v in
                       value.items()]  # fmt: skip
        elif isinstance(value, list):
            members = [f"{gap()}{written(v)}{gap()}" for v in value]
        else:
            return json.dumps(value)
        tail = data.draw(st.sampled_from(["", ","])) if members else ""
        ends = "{}" if isinstance(value, dict) else "[]"
        return f"{ends[0]}{','.join(members)}{tail}{gap()}{ends[1]}"

    text = data.draw(trivia) + written(old)
    assert json_text.decode(text) == old
    new = json_text.replace(text, ("mcpServers",), servers)
    assert json_text.decode(new) == {**old, "mcpServers": servers}
    try:
        json.loads(text)
    except ValueError:
        return
    assert json.loads(new) == {**old, "mcpServers": servers}  # strict stays strict


@pytest.mark.parametrize(
    "text", ["{", "[]x", '{"a" 1}', '{"a":1 "b":2}', "{a:1}", "nul", '{"a":NaN}', "/* open", ""]
)
def test_what_is_not_json_is_told_with_its_place(text: str) -> None:
    with pytest.raises(json_text.NotJson, match="Line 1, column"):
        json_text.decode(text)


TOML = """\
# mine
model = "o3"  # best

[mcp_servers.a]
command = "x" # why
args = ["1",
  "2"]
[mcp_servers.a.env]
K = "v"

# another
[mcp_servers.b]
url = "http://b"

[profiles.x]
model = "y"

[mcp_servers.late]
command = "late"
"""


def test_toml_keeps_comments_and_foreign_tables() -> None:
    a = {"command": "x", "args": ["1", "2"], "env": {"K": "w"}}
    needed = {"a": a, "late": {"command": "late"}, "n": {"command": "n", "env": {"A": "1"}}}
    new = toml_text.replace(TOML, "mcp_servers", needed)
    assert tomllib.loads(new)["mcp_servers"] == needed
    assert tomllib.loads(new)["profiles"] == {"x": {"model": "y"}}
    for saved in ("# mine\n", '"o3"  # best\n', '"x" # why\n', 'args = ["1",\n  "2"]\n'):
        assert saved in new


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1",
        "[mcp_servers]\n",
        "mcp_servers = {}\n",
        'mcp_servers = {a = {command = "x"}}\n',
        'mcp_servers.a.command = "x"\n[p]\n',
        "[mcp_servers.a]",
        '[mcp_servers.a]\n[tools]\n[mcp_servers.a.env]\nK = "v"\n',
        TOML,
    ],
)
@pytest.mark.parametrize(
    "needed",
    [
        {},
        {"a": {"command": "x"}},
        {"a": {"command": "x", "env": {"K": "w"}}},
        {"b c": {"url": "u", "list": [{"a": 1}]}, "late": {"command": "other"}},
    ],
)
def test_toml_says_what_is_wanted_however_it_was_written(text: str, needed: Any) -> None:
    new = toml_text.replace(text, "mcp_servers", needed)
    before = tomllib.loads(text)
    assert {"mcp_servers": {}, **tomllib.loads(new)} == {**before, "mcp_servers": needed}
    assert toml_text.replace(new, "mcp_servers", needed) == new


def test_a_missing_file_is_made_private_from_the_template(tmp_path: Path) -> None:
    file = McpFile(
        tmp_path / "deep" / "opencode.json", ("mcp",), {"mcp": {}, "$schema": "s"}, toml=False
    )
    assert file.read() == {}
    assert file.write({"a": {"type": "local"}}) == 0
    assert json.loads(file.path.read_text()) == {"mcp": {"a": {"type": "local"}}, "$schema": "s"}
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert list(file.path.parent.iterdir()) == [file.path]


def test_mode_link_and_the_first_state_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "claude.json"
    real.parent.mkdir()
    real.write_text(COMMENTED)
    real.chmod(0o640)
    link = tmp_path / ".claude.json"
    link.symlink_to(real)
    file = json_file(link)
    assert file.write({"n": {}}) == 2
    assert file.write({"n": {}, "m": {}}) == 1
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert set(file.read()) == {"n", "m"}
    backup = tmp_path / ".claude.json.before-anyon"
    assert backup.read_text() == COMMENTED
    assert stat.S_IMODE(backup.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "content", [b'{"mcpServers": ', b"[]", b'{"mcpServers": []}', b"\xff{}", b'{"a": 1} {}']
)
def test_a_file_that_cannot_be_understood_is_named_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    for attempt in (json_file(path).read, lambda: json_file(path).write({"a": {}})):
        with pytest.raises(Conflict, match=str(path)) as refusal:
            attempt()
        assert refusal.value.type == "broken_config"
    assert path.read_bytes() == content


def test_a_pipe_is_named_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "settings.json"
    os.mkfifo(pipe)
    refusals: list[str] = []

    def ask() -> None:
        for attempt in (json_file(pipe).read, lambda: json_file(pipe).write({"a": {}})):
            with pytest.raises(Unavailable, match=str(pipe)) as refusal:
                attempt()
            refusals.append(str(refusal.value))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(20)
    assert len(refusals) == 2
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_damaged_toml_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("a = \n")
    with pytest.raises(Conflict, match=r"config\.toml"):
        toml_file(path).write({"a": {}})
    assert path.read_text() == "a = \n"


def test_a_file_is_not_replaced_if_it_is_not_the_one_that_was_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("old")

    def unchanged() -> bool:
        path.write_text("somebody else's")
        return path.read_text() == "old"

    assert files.write(path, b"new", only_if=unchanged) is False
    assert path.read_text() == "somebody else's"
    assert list(tmp_path.iterdir()) == [path]


OTHER_WRITER = """import json, os, re, sys
from pathlib import Path
from anyond.model.errors import Conflict
from anyond.settings.mcp import McpFile
path, times = Path(sys.argv[1]), int(sys.argv[2])
count = 0
def other_program(event, arguments):
    # Our draft is about to be made: the file has been read, and not yet looked at again.
    global count
    name = os.path.basename(str(arguments[0])) if event == "open" else ""
    if re.fullmatch(r"[.]settings[.]json[.][0-9a-f]{16}", name) and count < times:
        count += 1
        fresh = path.with_name("fresh")
        fresh.write_text(json.dumps({**json.loads(path.read_text()), "count": count}))
        fresh.replace(path)
sys.addaudithook(other_program)
try:
    McpFile(path, ("mcpServers",), {}, toml=False).write({"n": {"number": 1}})
except Conflict as refusal:
    print(refusal.type)
"""


@pytest.mark.parametrize("times", [0, 1, 4])
def test_what_others_write_in_the_middle_of_our_writing_is_not_lost(
    tmp_path: Path, times: int
) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"count": 0}')
    assert beside_another_writer(path, times) == ""
    assert json.loads(path.read_text()) == {"count": times, "mcpServers": {"n": {"number": 1}}}


def test_a_file_that_others_never_stop_writing_is_left_as_they_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"count": 0}')
    assert beside_another_writer(path, 1000) == "changed_meanwhile"
    assert json.loads(path.read_text()) == {"count": 5}


def beside_another_writer(path: Path, times: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", OTHER_WRITER, str(path), str(times)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_others_that_read_and_write_meanwhile_never_see_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"count": 0}')
    stop = threading.Event()
    broken: list[ValueError] = []

    def other_program() -> None:
        count = 0
        while not stop.wait(0.001):
            count += 1
            try:
                document = json.loads(path.read_text())
            except ValueError as error:
                broken.append(error)
            fresh = tmp_path / "fresh"
            fresh.write_text(json.dumps({**document, "count": count, "pad": "x" * 1000}))
            fresh.replace(path)

    thread = threading.Thread(target=other_program)
    thread.start()
    outcomes: set[str | None] = set()
    try:
        for number in range(30):
            try:
                json_file(path).write({"n": {"number": number}})
                outcomes.add("written")
            except Conflict as refusal:
                outcomes.add(refusal.type)
    finally:
        stop.set()
        thread.join()
    assert not broken
    assert outcomes <= {"written", "changed_meanwhile"}
