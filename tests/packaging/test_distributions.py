"""The sdist has all that a person needs to work on Anyon; the wheel all that it needs to run."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from flit_core import sdist, wheel  # type: ignore[import-untyped]

from anyond import __version__
from tests.support.paths import ROOT

NAME = f"anyon-{__version__}"
LOAD_SHIM = """
import sys
sys.path.append(sys.argv[1])
import anyond.shim.shim
print(anyond.shim.shim.__file__)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    place = tmp_path_factory.mktemp("source")
    sdist.SdistBuilder.from_ini_path(ROOT / "pyproject.toml").build(place)
    with tarfile.open(place / f"{NAME}.tar.gz") as archive:
        archive.extractall(place, filter="data")
    return place / NAME


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the sdist, unpacked."""
    place = tmp_path_factory.mktemp("installed")
    made = wheel.make_wheel_in(source / "pyproject.toml", place).file
    with zipfile.ZipFile(made) as archive:
        archive.extractall(place / "lib")
    return place / "lib"


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def tracked(*paths: str) -> set[str]:
    """The files that the project consists of, new ones included."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: nothing says which files belong to the project")
    command = ["git", "-C", str(ROOT), "ls-files", "-zco", "--exclude-standard"]
    command += ["--", *paths]
    listed = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode()
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def test_the_sdist_has_the_whole_project(source: Path) -> None:
    assert below(source) == tracked() - {".gitignore"} | {"PKG-INFO"}


def test_the_sdist_has_tests_documentation_units_and_history(source: Path) -> None:
    needed = {
        *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "mkdocs.yml", ".ci/run"),
        *("docs/architecture.md", "requirements/dev.txt", "requirements/venv.sh"),
        *("systemd/anyond.service", "systemd/dev.anyon.daemon.plist"),
        *("tests/conftest.py", "tests/packaging/test_distributions.py", "tools/words.py"),
    }
    assert needed <= below(source)
    assert (source / ".ci" / "run").stat().st_mode & 0o100


def test_the_wheel_has_all_that_runs_and_nothing_else(installed: Path) -> None:
    facts = {f"{NAME}.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD")}
    facts |= {f"{NAME}.dist-info/entry_points.txt", f"{NAME}.dist-info/licenses/LICENSE"}
    # Installers put what is in there into the prefix: `man anyon` finds its page.
    facts |= {f"{NAME}.data/{name}" for name in tracked("data")}
    assert below(installed) == tracked("anyond") | facts


def test_the_wheel_has_types_migrations_and_the_shim(installed: Path) -> None:
    found = below(installed)
    assert "anyond/py.typed" in found
    assert any(name.startswith("anyond/store/migrations/0001") for name in found)
    command = [sys.executable, "-I", "-S", "-c", LOAD_SHIM, str(installed)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    assert done.stdout.strip() == str(installed / "anyond" / "shim" / "shim.py")
