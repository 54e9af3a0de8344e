"""A spool gives back what was put in, however it was cut."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.model.records import Exit, Stream
from anyond.procs.spools.record_scanner import OUTPUT
from anyond.procs.spools.spool import Spool
from anyond.shim.spool.log import write_json
from tests.support.processes.shim_programs import frames, records

contents = st.lists(
    st.tuples(
        st.sampled_from([Stream.STDOUT, Stream.STDERR, Stream.NOTE]),
        st.binary(max_size=40) | st.just(b"17 stdout 3\nabc") | st.just(b"z" * 500),
    ),
    max_size=12,
)


def fill(spool: Spool, content: list[tuple[Stream, bytes]]) -> list[int]:
    """Append everything; the offsets at which records end."""
    ends = [0]
    for at, (stream, data) in enumerate(content):
        if stream is Stream.NOTE:
            spool.append_note(data, at)
        else:
            spool.append_output(stream, data, at)
        ends.append(spool.size())
    return ends


@settings(max_examples=60, deadline=None)
@given(contents, st.integers(1, 600), st.data())
def test_what_is_read_is_what_was_written(
    content: list[tuple[Stream, bytes]], most: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(Path(directory) / "spool")
        ends = fill(spool, content)
        found = records(spool, most)
        assert [(r.stream, r.data) for r in found] == content
        assert [r.position for r in found] == ends[:-1]
        output = [pair for pair in content if pair[0] in OUTPUT]
        assert spool.frames() == len(output)
        first = data.draw(st.integers(0, len(output)))
        numbered = [(f.n, f.stream, f.data) for f in frames(spool, first, most)]
        assert numbered == [(n, *output[n]) for n in range(first, len(output))]


@settings(max_examples=100, deadline=None)
@given(contents, st.data())
def test_trimming_keeps_every_complete_record_and_nothing_else(
    content: list[tuple[Stream, bytes]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        spool = Spool(Path(directory) / "spool")
        ends = fill(spool, content)
        cut = data.draw(st.integers(0, ends[-1]))
        left = data.draw(st.integers(0, 8 * spool.frames()))
        rubbish = data.draw(st.sampled_from([b"", b"\0" * 100, b"\n", b"1 stdout 9999999999999\n"]))
        zeros = data.draw(st.sampled_from([b"", b"\0" * 3, b"\0" * 24]))
        if content:
            log, index = spool.path / "log", spool.path / "log.idx"
            log.write_bytes(log.read_bytes()[:cut] + rubbish)
            index.write_bytes((index.read_bytes()[:left] if left else b"") + zeros)
        spool.trim()
        saved = content[: sum(end <= cut for end in ends) - 1]
        if cut not in ends and rubbish:
            # The rubbish may by chance complete what was cut.
            saved = [(r.stream, r.data) for r in records(spool)]
            assert saved[:-1] == content[: max(0, len(saved) - 1)]
        assert [(r.stream, r.data) for r in records(spool)] == saved
        fill(spool, [(Stream.STDOUT, b"one more"), (Stream.NOTE, b"and a note")])
        output = [pair for pair in saved if pair[0] in OUTPUT] + [(Stream.STDOUT, b"one more")]
        assert [(f.stream, f.data) for f in frames(spool)] == output
        assert frames(spool, len(output) - 1)[0].n == len(output) - 1 == spool.frames() - 1


def test_readers_of_a_spool_that_is_not_there_yet_wait_for_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    assert (spool.frames(), spool.size(), spool.exit(), spool.gap()) == (0, 0, None, None)
    everything, later = spool.records(), spool.output(2)
    assert everything.read() == []
    assert later.read() == []
    fill(spool, [(Stream.STDOUT, b"0"), (Stream.NOTE, b"n"), (Stream.STDERR, b"1")])
    assert [r.data for r in everything.read()] == [b"0", b"n", b"1"]
    assert later.read() == []
    fill(spool, [(Stream.NOTE, b"n"), (Stream.STDOUT, b"2")])
    assert [(f.n, f.data) for f in later.read()] == [(2, b"2")]
    assert later.next == 3
    assert [r.data for r in spool.records(everything.position).read()] == [b"n", b"2"]


def test_a_record_that_is_still_being_written_is_not_returned(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    reader = spool.records()
    with (tmp_path / "log").open("wb", buffering=0) as log:
        for part in (b"12 std", b"out 5\n", b"hel"):
            log.write(part)
            assert reader.read() == []
        log.write(b"lo")
    assert [(r.at, r.data) for r in reader.read()] == [(12, b"hello")]


def test_how_it_ended_is_read_back_even_if_damaged(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.write_exit(Exit(error="never started", ended_at=5))
    assert spool.exit() == Exit(error="never started", ended_at=5)
    (spool.path / "exit.json").write_bytes(b"{")
    damaged = spool.exit()
    assert damaged is not None
    assert "damaged" in (damaged.error or "")


@pytest.fixture
def shortened(tmp_path: Path) -> Spool:
    """A log of ten lines of which the fourth to the seventh were left out."""
    spool = Spool(tmp_path)
    content = [(Stream.STDOUT, b"line %d\n" % i) for i in range(10)]
    content.insert(5, (Stream.NOTE, b"also left out"))
    fill(spool, content)
    start, end = spool.offset(3), spool.offset(7)
    with (tmp_path / "log").open("r+b") as log:
        log.seek(start)
        log.write(bytes(end - start))
    gap = {"start": start, "end": end, "bytes": end - start, "first_frame": 3, "end_frame": 7}
    write_json(str(tmp_path / "gap.json"), {**gap, "limit": 1000})
    return spool


def test_what_was_left_out_is_said_and_the_numbers_go_on(shortened: Spool) -> None:
    found = frames(shortened, most=1)
    assert [f.n for f in found] == [0, 1, 2, 3, 7, 8, 9]
    gap = shortened.gap()
    assert gap is not None
    assert (found[3].stream, found[3].left_out) == (Stream.STDERR, gap.bytes)
    assert found[3].data.decode() == (
        f"[anyon] {gap.bytes} bytes (frames 3–6) were left out: "
        "the log is limited to 1,000 bytes.\n"
    )
    assert found[4].data == b"line 7\n"
    assert [f.n for f in frames(shortened, 5)] == [5, 7, 8, 9]
    assert [f.n for f in frames(shortened, 8)] == [8, 9]
    assert [r.data for r in records(shortened)] == [b"line %d\n" % i for i in (0, 1, 2, 7, 8, 9)]


@pytest.mark.parametrize("left", range(11))
def test_trimming_respects_what_was_left_out(shortened: Spool, left: int) -> None:
    before = frames(shortened)
    index = shortened.path / "log.idx"
    index.write_bytes(index.read_bytes()[: left * 8])
    shortened.trim()
    assert frames(shortened) == before
    assert shortened.frames() == 10
    assert frames(shortened, 8) == before[-2:]


def test_pages_that_a_power_loss_left_empty_end_the_log_after_a_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    content = [(Stream.STDOUT, b"%04d " % n * 900) for n in range(20)]
    ends = fill(spool, content)
    log = spool.path / "log"
    with log.open(
        "r+b"
    ) as file:  # the third page; what comes after it is there, and so is the index
        file.seek(2 * 4096)
        file.write(bytes(4096))
    cut = spool.trim(restarted=True)
    saved = sum(end <= 2 * 4096 for end in ends) - 1
    assert saved > 0
    assert [(r.stream, r.data) for r in records(spool)] == content[:saved]
    assert [(f.n, f.data) for f in frames(spool)] == [(n, content[n][1]) for n in range(saved)]
    assert cut == ends[-1] - ends[saved]
    assert spool.trim(restarted=True) == 0


def test_zeros_that_a_program_wrote_stay_if_the_machine_was_not_restarted(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    content = [(Stream.STDOUT, bytes(20_000)), (Stream.STDOUT, b"end")]
    fill(spool, content)
    assert spool.trim() == 0
    assert [(r.stream, r.data) for r in records(spool)] == content
