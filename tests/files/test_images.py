"""Image files: on their way in, kept, and placed in worktrees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anyond.files import images
from anyond.files.images import LARGEST, ImageFiles
from anyond.model.errors import TooLarge, Unsupported
from anyond.model.refusals.requests import Invalid
from tests.support.http import pictures

PNG = pictures.png()


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    (tmp_path / "images").mkdir()
    return ImageFiles(tmp_path / "images")


def keep(files: ImageFiles, *pieces: bytes) -> images.Picture:
    with files.incoming() as upload:
        for piece in pieces:
            upload.write(piece)
        picture = upload.finish()
        files.keep(upload, picture)
    return picture


def names(files: ImageFiles) -> list[str]:
    return sorted(os.listdir(files.path("").parent / "images"))


def test_an_upload_becomes_a_file_named_by_its_content(files: ImageFiles) -> None:
    first = keep(files, PNG[:5], PNG[5:])
    assert keep(files, PNG) == first
    assert names(files) == [first.file_name]
    assert first.file_name == f"{first.hash[:32]}.png"
    assert (first.mime_type, first.size) == ("image/png", len(PNG))
    path = files.path(first.file_name)
    assert path.read_bytes() == PNG
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_not_kept_leaves_nothing(files: ImageFiles) -> None:
    with files.incoming() as upload:
        upload.write(PNG)
    with files.incoming() as upload:
        upload.write(b"text")
        with pytest.raises(Unsupported):
            upload.finish()
    with pytest.raises(Invalid, match="empty"), files.incoming() as upload:
        upload.finish()
    assert names(files) == []


def test_an_image_has_at_most_so_many_bytes(files: ImageFiles) -> None:
    with files.incoming() as upload:
        upload.write(PNG + bytes(LARGEST - len(PNG)))
        with pytest.raises(TooLarge, match="20 MiB"):
            upload.write(b"x")


def test_images_are_placed_once_and_what_an_agent_made_of_them_stays(
    files: ImageFiles, tmp_path: Path
) -> None:
    one, two = keep(files, PNG).file_name, keep(files, pictures.png(b"2")).file_name
    worktree = tmp_path / "tree"
    worktree.mkdir()
    assert files.place([one], worktree, ".vibe/images") == []
    (worktree / ".vibe/images" / one).write_bytes(b"edited")
    (complaint,) = files.place([one, two, "gone.png"], worktree, ".vibe/images")
    assert complaint.startswith("The image gone.png could not be placed: No such file")
    placed = worktree / ".vibe/images"
    assert sorted(os.listdir(placed)) == sorted([".gitignore", one, two])
    assert (placed / one).read_bytes() == b"edited"
    assert (placed / two).read_bytes() == pictures.png(b"2")
    assert files.path(one).read_bytes() == PNG


@pytest.mark.parametrize("link", [".vibe", ".vibe/images"])
def test_no_link_leads_out_of_a_worktree(files: ImageFiles, tmp_path: Path, link: str) -> None:
    name = keep(files, PNG).file_name
    worktree, outside = tmp_path / "tree", tmp_path / "outside"
    (worktree / link).parent.mkdir(parents=True)
    (outside / "images").mkdir(parents=True)
    (worktree / link).symlink_to(outside)
    (complaint,) = files.place([name], worktree, ".vibe/images")
    assert "is a symbolic link" in complaint
    assert [p for p in outside.rglob("*") if p.is_file()] == []


def test_files_that_are_not_known_are_told_from_uploads(files: ImageFiles) -> None:
    known = keep(files, PNG).file_name
    for name in (".incoming-old", "stray.png"):
        files.path(name).touch()
    with files.incoming() as upload:
        assert files.unknown({known}) == {"stray.png"}
        assert files.abandoned() == [".incoming-old"]
        assert upload.path.exists()
    files.remove(["stray.png", "stray.png"])
    assert names(files) == sorted([".incoming-old", known])
