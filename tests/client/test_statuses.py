"""The statuses that say all by themselves are the same to the daemon and to its client."""

from __future__ import annotations

import pytest

from anyond.client import refusals
from anyond.http.answer.envelope import failure
from anyond.http.answer.refusal import STATUS
from anyond.model import errors


@pytest.mark.parametrize(
    "declared",
    [
        errors.Unauthorized,
        errors.TooLarge,
        errors.Unsupported,
        errors.Unavailable,
        errors.TimedOut,
    ],
)
def test_a_refusal_without_a_type_is_known_by_its_status(
    declared: type[errors.AnyondError],
) -> None:
    found = refusals.refusal(STATUS[declared.kind], failure("No."))
    assert isinstance(found, declared)
    assert (found.http_status, str(found)) == (STATUS[declared.kind], "No.")
