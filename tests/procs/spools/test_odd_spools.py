"""Whatever an agent puts in the place of the files of its spool: nobody waits, nothing crashes."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from anyond.model.ids import timestamp_ns
from anyond.model.records import Exit, Stream
from anyond.procs.shims import lost_execution
from anyond.procs.shims.launcher import Launcher
from anyond.procs.shims.shim_state import last_words, read_run, why_unknown
from anyond.procs.spools import index_check
from anyond.procs.spools.record_scanner import parse, read_gap
from anyond.procs.spools.spool import Spool
from anyond.shim.spool.log import write_json
from tests.support.processes.shim_programs import frames, records


def pipe(path: Path) -> None:
    os.mkfifo(path)


def zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def hole(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 42)


def nested(path: Path) -> None:
    path.write_bytes(b"[" * 200_000)


def rubbish(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 20)


def numbers(path: Path) -> None:
    path.write_bytes(b'{"code":%s,"ended_at":%s}' % (b"9" * 5000, b"9" * 30))


ODD = [pipe, zeros, circle, hole, nested, rubbish, numbers, Path.mkdir]
NAMES = [
    "exit.json",
    "run.json",
    "spec.json",
    "gap.json",
    "lock",
    "s",
    "k",
    "log",
    "log.idx",
    "log.sum",
    "shim.err",
]


def put(path: Path, odd: Callable[[Path], None]) -> None:
    path.unlink(missing_ok=True)
    odd(path)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
@pytest.mark.parametrize("name", NAMES)
async def test_an_execution_with_an_odd_file_is_ended(
    tmp_path: Path, name: str, odd: Callable[[Path], None]
) -> None:
    async with Launcher.open(tmp_path / "executions") as launcher:
        spool = launcher.spool("one")
        spool.append_output(Stream.STDOUT, b"said\n", 1)
        put(spool.path / name, odd)
        launcher.look("one", recorded=True)
        read_run(spool.path), why_unknown(spool.path), last_words(spool.path)
        with trio.fail_after(20):
            exit = await launcher.finalize_lost("one", "It is lost.")
        assert exit.error is not None
        assert spool.exit() is not None
        assert index_check.ensure(spool.path) in (True, False)
        spool.append_note(b"{}", 2)
        assert [r.data for r in records(spool)][-1] == b"{}"
        if not name.startswith("log"):
            assert [f.data for f in frames(spool)] == [b"said\n"]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
def test_reading_a_log_beside_an_odd_file_ends(tmp_path: Path, odd: Callable[[Path], None]) -> None:
    for name in NAMES:
        spool = Spool(tmp_path / f"{name}-spool")
        spool.append_output(Stream.STDOUT, b"said\n", 1)
        put(spool.path / name, odd)
        spool.exit(), spool.gap(), spool.frames(), spool.size(), spool.offset(0)
        frames(spool)


@pytest.mark.parametrize("name", ["s", "k"])
def test_a_socket_of_a_spool_stays_where_it_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as peer:
        listener.bind(name)  # a relative name: a socket's path may not be long
        listener.listen()
        Spool(tmp_path).make_way()
        peer.connect(name)
    assert os.listdir() == [name]


def test_what_stood_in_the_way_is_kept_and_a_linked_file_left_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append_output(Stream.STDOUT, b"said\n", 1)
    precious = tmp_path / "precious"
    precious.write_text("of the person")
    put(spool.path / "log", lambda path: path.symlink_to(precious))
    lost_execution.finalize("spool", spool, "It is lost.")
    spool.append_output(Stream.STDERR, b"later\n", 2)
    assert precious.read_text() == "of the person"
    assert [p.readlink() for p in spool.path.glob("log.strange-*")] == [precious]


def test_a_file_in_the_place_of_a_spool_keeps_no_end_from_being_written(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.path.write_text("no directory")
    assert lost_execution.finalize("spool", spool, "It is lost.").error == "It is lost."
    assert spool.exit() is not None
    assert [p.read_text() for p in tmp_path.glob("spool.strange-*")] == ["no directory"]


@pytest.mark.parametrize("odd", [pipe, circle, zeros, rubbish, Path.mkdir])
def test_a_shim_writes_its_end_whatever_is_in_its_place(
    tmp_path: Path, odd: Callable[[Path], None]
) -> None:
    odd(tmp_path / "exit.json")
    odd(tmp_path / "exit.json.tmp")
    write_json(str(tmp_path / "exit.json"), {"code": 3})
    assert Spool(tmp_path).exit() == Exit(code=3)


@pytest.mark.parametrize(
    "header",
    [
        b"1 stdout 99999999999999999999999999",
        b"1 stdout -2",
        b"-1 stdout 2",
        b"1 nothing 2",
        b"1_0 stdout 2",
        b"1 stdout " + b"9" * 45,
    ],
)
def test_a_record_that_no_shim_writes_ends_what_is_read(tmp_path: Path, header: bytes) -> None:
    good = b"5 stdout 3\nabc"
    found, used, need = parse(good + header + b"\nab", 0)
    assert ([r.data for r in found], used, need) == ([b"abc"], len(good), 0)
    spool = Spool(tmp_path)
    (tmp_path / "log").write_bytes(good + header + b"\nab")
    with (tmp_path / "log").open("r+b") as file:
        file.truncate(1 << 41)  # also if so much seems to be there
    assert [r.data for r in records(spool)] == [b"abc"]


@pytest.mark.parametrize(
    "exit", [b'{"code":1e400}', b'{"code":99999999999}', b'{"ended_at":%d}' % 10**19]
)
def test_an_exit_that_no_system_reports_is_damaged(tmp_path: Path, exit: bytes) -> None:
    (tmp_path / "exit.json").write_bytes(exit)
    found = Spool(tmp_path).exit()
    assert found is not None
    assert found.error == "The record of how it ended is damaged."


def test_an_absurd_gap_is_none(tmp_path: Path) -> None:
    path = tmp_path / "gap.json"
    end = str(1 << 63)
    path.write_text('{"start":1,"end":' + end + ',"bytes":1,"first_frame":0,"end_frame":1}')
    assert read_gap(path) is None


def test_a_record_of_an_absurd_time_is_read_as_of_a_time_that_can_be_shown() -> None:
    found, used, _ = parse(b"9" * 40 + b" stdout 2\nab", 0)
    assert ([r.data for r in found], used) == ([b"ab"], 52)
    assert timestamp_ns(found[0].at) == "2255-03-14T16:00:00.000Z"
