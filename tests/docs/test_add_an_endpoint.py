"""The page that says how an endpoint is added is followed to the letter, and it answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.followed_pages import be_tidy, follow, listed, run, touched
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "add-an-endpoint.md"
FOLDERS = ("tests", "campaigns", "docs", "clients")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return follow(PAGE, tmp_path / "checkout", *FOLDERS)


def test_it_touches_few_files_and_lists_them(checkout: Path) -> None:
    assert touched(checkout, *FOLDERS) == listed(PAGE)
    assert len(listed(PAGE)) <= 6
    be_tidy(checkout, PAGE)


def test_everything_knows_the_endpoint_and_it_answers(checkout: Path) -> None:
    only = (
        "description or has_an_example or must_be_filled_in or declared_route or tags_whose_name"
        " or every_route_of_the_application"
    )
    run(
        checkout,
        *("-m", "pytest", "-p", "no:cacheprovider", "-k", only),
        *("tests/http/openapi/test_description.py", "tests/campaigns/test_hostile.py"),
        *("tests/end_to_end/test_tag_count.py", "tests/end_to_end/api/test_fuzz.py"),
    )
