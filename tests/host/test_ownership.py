"""Worktrees are made only where nobody else on the machine can swap them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from anyond.host.ownership import weakness
from anyond.model.refusals.requests import Invalid
from anyond.settings.config import ConfigFile


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory to which others have a way, which they have not to those of pytest."""
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        found = Path(top) / "workspace"
        found.mkdir()
        found.chmod(0o755)
        yield found


def test_a_directory_of_ones_own_is_taken(place: Path) -> None:
    assert weakness(place) is None


def test_a_directory_in_which_everybody_may_write_is_not(place: Path) -> None:
    place.chmod(0o757)
    assert "everybody may write" in str(weakness(place))
    place.chmod(0o1777)  # others could be quicker to make what belongs in it
    assert "everybody may write" in str(weakness(place))


def test_neither_is_one_below_such_a_directory(place: Path) -> None:
    inner = place / "inner"
    inner.mkdir()
    inner.chmod(0o755)
    place.chmod(0o777)
    assert str(place) in str(weakness(inner))
    place.chmod(0o1777)
    assert weakness(inner) is None


def test_modes_do_not_matter_where_nobody_gets_in(place: Path) -> None:
    place.chmod(0o777)
    place.parent.chmod(0o700)
    assert weakness(place) is None


def test_a_link_counts_as_what_it_leads_to(place: Path) -> None:
    place.chmod(0o777)
    link = place.parent / "link"
    link.symlink_to(place)
    assert "everybody may write" in str(weakness(link))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_not_taken(place: Path) -> None:
    os.chown(place, 65534, 65534)
    assert "belongs to" in str(weakness(place))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_group_with_others_in_it_may_not_write(place: Path) -> None:
    os.chown(place, -1, 65534)
    place.chmod(0o775)
    assert "the group" in str(weakness(place))


@pytest.mark.parametrize("name", ["x" * 300, "loop", "loop/x"])
def test_what_cannot_be_a_directory_is_refused_when_it_is_chosen(place: Path, name: str) -> None:
    (place / "loop").symlink_to("loop")
    config = ConfigFile(place.parent / "config.json")
    with pytest.raises(Invalid) as refusal:
        config.patch({"workspace_dir": str(place / name)})
    assert refusal.value.field == "workspace_dir"


def test_a_weak_directory_is_refused_when_it_is_chosen(place: Path) -> None:
    place.chmod(0o777)
    config = ConfigFile(place.parent / "config.json")
    with pytest.raises(Invalid, match="everybody may write"):
        config.patch({"workspace_dir": str(place)})


@pytest.mark.parametrize(
    "wrong",
    [
        {"log_limit_bytes": 10**400},
        {"approval_timeout_s": 10**400},
        {"executor_profile": {"executor": []}},
        {"executor_profile": {"executor": {}}},
        {"executor_profile": {"executor": 7}},
        {"editor": {"editor_type": []}},
        {"github": {"pat": {}}},
        {"notifications": []},
    ],
)
def test_wrong_types_and_endless_numbers_are_refused(tmp_path: Path, wrong: object) -> None:
    with pytest.raises(Invalid):
        ConfigFile(tmp_path / "config.json").patch(wrong)
