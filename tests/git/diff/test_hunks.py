"""Hunks are those of git, numbered line by line, and say nothing of what git ignores."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from anyond.git.diff import hunks
from anyond.model.http.changes import Hunk, HunkLine


def git(place: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=Ada", "-c", "user.email=a@localhost", *arguments],
        cwd=place,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def repository(place: Path, **files: str) -> str:
    """A repository with one commit; returns its id."""
    git(place, "init", "--quiet", "--initial-branch=main")
    for name, text in files.items():
        (place / name).write_text(text)
    (place / ".gitignore").write_text("secret\n")
    git(place, "add", ".")
    git(place, "commit", "--quiet", "--message=first")
    return git(place, "rev-parse", "HEAD")


async def of(place: Path, base: str, path: str, **more: object) -> hunks.Patch:
    return await hunks.of_file(place, path, None, base, None, context=3, **more)  # type: ignore[arg-type]


def sides(found: list[Hunk]) -> tuple[str, str]:
    """The text before and now, as far as hunks have it."""
    old, new = "", ""
    for hunk in found:
        for line in hunk.lines:
            end = "" if line.no_newline else "\n"
            old += line.text + end if line.kind in " -" else ""
            new += line.text + end if line.kind in " +" else ""
    return old, new


async def test_a_hunk_has_the_numbers_of_its_lines(tmp_path: Path) -> None:
    base = repository(tmp_path, tea="green\nblack\noolong\n")
    (tmp_path / "tea").write_text("green\nwhite\noolong")
    (hunk,) = (await of(tmp_path, base, "tea")).hunks
    assert (hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines) == (1, 3, 1, 3)
    assert hunk.lines == [
        HunkLine(kind=" ", text="green", old=1, new=1),
        HunkLine(kind="-", text="black", old=2),
        HunkLine(kind="-", text="oolong", old=3),
        HunkLine(kind="+", text="white", new=2),
        HunkLine(kind="+", text="oolong", new=3, no_newline=True),
    ]
    assert (await of(tmp_path, base, "nothing")).hunks == []


async def test_lines_that_look_like_heads_are_lines(tmp_path: Path) -> None:
    odd = (
        "@@ -1,2 +3,4 @@\n--- a\n+++ b\n\\ No newline at end of file\n\x0c\u2028\ndiff --git a b\n"
    )
    base = repository(tmp_path, odd=odd)
    (tmp_path / "odd").write_text(odd + "more\n" + odd)
    found = await of(tmp_path, base, "odd", ignore_whitespace=False)
    whole = await hunks.of_file(tmp_path, "odd", None, base, None, context=1000)
    assert found.hunks
    assert sides(whole.hunks) == (odd, odd + "more\n" + odd)


async def test_hunks_with_all_of_the_context_are_both_files(tmp_path: Path) -> None:
    dice = random.Random(5)
    for number in range(20):
        place = tmp_path / str(number)
        place.mkdir()
        old = "".join(dice.choice(["a\n", "b\n", "-c\n", "+d\n", "\n", " \\\n"]) for _ in range(30))
        new = "".join(dice.choice(["a\n", "b\n", "-c\n", "+d\n", "\n", " \\\n"]) for _ in range(30))
        old, new = old.removesuffix(dice.choice(["", "\n"])), new.removesuffix("\n")
        base = repository(place, file=old)
        (place / "file").write_text(new)
        found = await hunks.of_file(place, "file", None, base, None, context=10_000)
        assert sides(found.hunks) == ((old, new) if old != new else ("", ""))


async def test_new_files_have_hunks_and_ignored_ones_have_none(tmp_path: Path) -> None:
    base = repository(tmp_path, tea="green\n")
    (tmp_path / "new").write_text("black\n")
    (tmp_path / "secret").write_text("password\n")
    (tmp_path / ":(glob)*").write_text("odd\n")
    assert [line.text for line in (await of(tmp_path, base, "new")).hunks[0].lines] == ["black"]
    assert (await of(tmp_path, base, "secret")).hunks == []
    assert [line.text for line in (await of(tmp_path, base, ":(glob)*")).hunks[0].lines] == ["odd"]
    (tmp_path / "bytes").write_bytes(b"\0\1")
    assert (await of(tmp_path, base, "bytes")).binary


async def test_a_rename_is_one_file_and_whitespace_can_be_left_out(tmp_path: Path) -> None:
    text = "".join(f"line {n}\n" for n in range(50))
    base = repository(tmp_path, old=text)
    git(tmp_path, "mv", "old", "new")
    (tmp_path / "new").write_text(text.replace("line 7\n", "line seven\n"))
    found = await hunks.of_file(tmp_path, "new", "old", base, None, context=0)
    assert [line.text for line in found.hunks[0].lines] == ["line 7", "line seven"]
    assert any(line.startswith("rename from old") for line in found.header)
    git(tmp_path, "reset", "--hard", "--quiet", base)
    (tmp_path / "old").write_text(text.replace("line 7", "  line   7"))
    assert (await of(tmp_path, base, "old")).hunks
    assert not (await of(tmp_path, base, "old", ignore_whitespace=True)).hunks


async def test_what_is_too_long_is_cut(tmp_path: Path) -> None:
    base = repository(tmp_path, tea="green\n")
    (tmp_path / "tea").write_text("x\n" * (hunks.LINES_MOST + 10))
    found = await of(tmp_path, base, "tea")
    assert found.cut
    assert sum(len(hunk.lines) for hunk in found.hunks) == hunks.LINES_MOST
