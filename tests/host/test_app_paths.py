"""Anyon's directories are its own, and two daemons do not meet in one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from anyond.host.app_paths import AppPaths
from anyond.host.identity import user_id
from anyond.model.errors import Unavailable
from anyond.model.ids import is_id


def test_the_environment_chooses_each_directory(tmp_path: Path) -> None:
    paths = AppPaths.of(
        {
            "ANYON_CONFIG_DIR": f"{tmp_path}/c",
            "ANYON_DATA_DIR": f"{tmp_path}/d/../e",
            "ANYON_RUNTIME_DIR": f"{tmp_path}/r",
        }
    )
    assert paths.config == tmp_path / "c" / "config.json"
    assert paths.profiles == tmp_path / "c" / "profiles.json"
    assert paths.database.parent == tmp_path / "e"
    assert paths.daemon_file == tmp_path / "r" / "daemon.json"


def test_missing_directories_are_made_for_their_owner_only(tmp_path: Path) -> None:
    paths = AppPaths.under(tmp_path / "all")
    paths.create()
    paths.create()
    for made in (paths.config_dir, paths.data_dir, paths.runtime_dir, paths.executions):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "all").write_text("")
    with pytest.raises(Unavailable, match="all/config"):
        AppPaths.under(tmp_path / "all").create()


@pytest.mark.parametrize("name", ["ANYON_CONFIG_DIR", "ANYON_DATA_DIR", "ANYON_RUNTIME_DIR"])
def test_what_puts_it_elsewhere_is_named_with_it(tmp_path: Path, name: str) -> None:
    paths = {kind: f"{tmp_path}/{kind}" for kind in ("ANYON_CONFIG_DIR", "ANYON_DATA_DIR")}
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=f"Set {name} in the environment to name another"):
        AppPaths.of({**paths, name: f"{tmp_path}/file/below"}).create()


@pytest.mark.parametrize("name", ["ANYON_CONFIG_DIR", "ANYON_DATA_DIR", "ANYON_RUNTIME_DIR"])
def test_a_directory_that_cannot_be_told_to_anybody_is_refused(tmp_path: Path, name: str) -> None:
    paths = {kind: f"{tmp_path}/{kind}" for kind in ("ANYON_CONFIG_DIR", "ANYON_DATA_DIR")}
    AppPaths.of({**paths, name: f"{tmp_path}/wörter 語"}).create()
    with pytest.raises(Unavailable, match="caf\ufffd cannot be used: its name is not UTF-8"):
        AppPaths.of({**paths, name: os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")}).create()
    assert "caf" not in "".join(os.listdir(tmp_path))


@contextmanager
def nobody_special() -> Iterator[None]:
    """Root may do everything, and in some places tests run as root."""
    root = os.getuid() == 0
    if root:
        os.setreuid(65534, -1)
    try:
        yield
    finally:
        if root:
            os.setreuid(0, -1)


@pytest.mark.parametrize("name", ["data", "run", "data/executions", "data/images"])
def test_a_directory_that_may_not_be_used_is_named(name: str) -> None:
    with TemporaryDirectory() as folder:  # pytest's own is root's alone
        os.chmod(folder, 0o755)
        paths = AppPaths.under(Path(folder))
        paths.create()
        for made in (paths.runtime_dir, paths.data_dir, paths.executions, paths.images):
            made.chmod(0o777)
        paths.config_dir.chmod(0o555)
        with nobody_special():
            paths.create()
            (paths.data_dir.parent / name).chmod(0o555)
            with pytest.raises(Unavailable, match=f"{name} may not be"):
                paths.create()


def test_the_runtime_directory_is_that_of_the_login_if_there_is_one(tmp_path: Path) -> None:
    assert AppPaths.of({"XDG_RUNTIME_DIR": str(tmp_path)}).runtime_dir == tmp_path / "anyon"
    for unusable in ("", "relative", str(tmp_path / "missing")):
        paths = AppPaths.of({"XDG_RUNTIME_DIR": unusable})
        assert paths.runtime_dir == paths.data_dir / "run"


def test_a_data_directory_of_its_own_has_a_runtime_directory_of_its_own(tmp_path: Path) -> None:
    chosen = {"XDG_RUNTIME_DIR": str(tmp_path), "ANYON_DATA_DIR": str(tmp_path / "d")}
    assert AppPaths.of(chosen).runtime_dir == tmp_path / "d" / "run"


def test_worktrees_go_where_the_setting_says(tmp_path: Path) -> None:
    paths = AppPaths.under(tmp_path)
    assert paths.worktrees() == tmp_path / "data" / "worktrees"
    assert paths.worktrees("/elsewhere") == Path("/elsewhere/worktrees")


def test_the_id_of_the_installation_is_random_once_and_then_stays(tmp_path: Path) -> None:
    first = user_id(tmp_path / "a" / "user_id")
    assert is_id(first)
    assert user_id(tmp_path / "a" / "user_id") == first
    assert user_id(tmp_path / "b" / "user_id") != first


def test_an_illegible_id_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "user_id"
    path.write_bytes(b"\xff" * 9)
    assert is_id(user_id(path))
    assert user_id(path) == path.read_text().strip()
