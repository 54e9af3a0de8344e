"""The page that says how an endpoint is added is followed to the letter, and it answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import blocks, follow
from tests.end_to_end.daemon import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-an-endpoint.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return follow(PAGE, tmp_path / "checkout", "tests", "campaigns", "docs", "clients")


def run(checkout: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(checkout), "HOME": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_touches_few_files() -> None:
    assert len({block.name for block in blocks(PAGE)} | {"CHANGELOG.md"}) <= 6


def test_everything_knows_the_endpoint_and_it_answers(checkout: Path) -> None:
    only = (
        "description or has_an_example or must_be_filled_in or declared_route or tags_whose_name"
        " or every_route_of_the_application"
    )
    run(
        checkout,
        *("-k", only),
        *("tests/http/test_description.py", "tests/test_campaigns.py"),
        *("tests/end_to_end/test_tag_count.py", "tests/end_to_end/test_fuzz.py"),
    )
