"""The page that says how a setting is added is followed to the letter, and the setting holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.followed_pages import be_tidy, follow, listed, run, touched
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-a-setting.md"
FOLDERS = ("tests", "campaigns", "docs", "clients")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources in which the page was followed."""
    return follow(PAGE, tmp_path / "checkout", *FOLDERS)


def test_it_touches_few_files_and_lists_them(checkout: Path) -> None:
    assert touched(checkout, *FOLDERS) == listed(PAGE)
    assert len(listed(PAGE)) <= 8
    be_tidy(checkout, PAGE)


def test_the_setting_is_checked_described_and_obeyed(checkout: Path) -> None:
    touched(checkout, *FOLDERS)  # so that all is written anew that is made from declarations
    run(
        checkout,
        *("-m", "pytest", "-p", "no:cacheprovider"),
        *("tests/settings/test_declared.py", "tests/model/test_refusals.py"),
        *("tests/http/openapi/test_description.py", "tests/end_to_end/test_attempts_at_once.py"),
    )
