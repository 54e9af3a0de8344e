"""References: the most exact way that means any attempt decides, and none is guessed."""

from __future__ import annotations

import pytest

from anyond.cli.finding.references import NoSuchAttempt, pick
from anyond.model.http.summaries import AttemptState, AttemptSummary
from anyond.model.rows import TaskStatus


def summary(
    number: int, id: str, title: str, task: str = "f00d", branch: str = ""
) -> AttemptSummary:
    return AttemptSummary(
        number=number,
        id=id,
        task_id=task,
        project_id="p",
        project_name="Tea",
        title=title,
        task_status=TaskStatus.IN_REVIEW,
        state=AttemptState.FINISHED,
        since="2025-01-08T00:00:00.000Z",
        executor="DEMO",
        branch=branch or f"anyon/{number}-brew",
        target_branch="main",
        container_ref=None,
        worktree_deleted=False,
        last_message=None,
        questions=0,
        created_at="2025-01-08T00:00:00.000Z",
    )


CANDIDATES = [
    summary(1, "12ab", "Describe the tea timer", task="1111"),
    summary(2, "2b3c", "Describe the green tea", task="2222"),
    summary(12, "2b3d", "1 cup", task="2222", branch="cup"),
]


@pytest.mark.parametrize(
    ("reference", "number"),
    [
        ("1", 1),
        ("12", 12),
        ("12ab", 1),
        ("12A", 1),
        ("anyon/2-brew", 2),
        ("2-brew", 2),
        ("cup", 12),
        ("TIMER tea", 1),
        ("1111", 1),
        ("1 Cup", 12),
    ],
)
def test_one_is_meant(reference: str, number: int) -> None:
    assert pick(CANDIDATES, reference).number == number


@pytest.mark.parametrize("reference", ["2b3", "2222", "tea", "describe"])
def test_several_are_listed(reference: str) -> None:
    with pytest.raises(NoSuchAttempt, match="can mean 2 attempts") as error:
        pick(CANDIDATES, reference)
    assert error.value.type == "ambiguous"
    assert "\n  2  " in str(error.value)


def test_none_is_none() -> None:
    with pytest.raises(NoSuchAttempt, match="No attempt is meant by `␛c`"):
        pick(CANDIDATES, "\x1bc")
