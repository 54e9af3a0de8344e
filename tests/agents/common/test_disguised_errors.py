"""Failures that an agent says as if they were words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyond.agents.common import disguised_errors


@pytest.mark.parametrize(
    "text",
    [
        "Error: 429 Too many requests",
        "API Error: 401 invalid key",
        "[API Error: 500 overloaded]",
        "\nConnectError: [unavailable]",
        "Error 503 from the model",
        "429 Too Many Requests",
        "HTTP 529: Overloaded",
    ],
)
def test_an_error_is_one_however_it_is_dressed(text: str) -> None:
    assert disguised_errors.is_error(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "Errors are values.",
            "Error handling was added.",
            "The log says Error: 429",
            "Done.",
        ),
        *("404 pages are cached now.", "429 tests pass.", "The server said 429 Too Many Requests."),
    ],
)
def test_words_about_errors_are_none(text: str) -> None:
    assert not disguised_errors.is_error(text)


@pytest.mark.parametrize(
    ("text", "login", "lost"),
    [
        ("Error: Authentication required. Please run 'agent login' first.", True, False),
        ("No API key found. Starting login flow...", True, False),
        ("You are not logged in", True, False),
        ("Error: Thread T-1 not found", False, True),
        ("Error: Invalid thread URL or ID: nonsense", False, True),
        ("Could not find chat c-1", False, True),
        ("Error: Cannot reach Amp servers. Are you offline?", False, False),
        ("The file was not found", False, False),
    ],
)
def test_a_missing_login_and_a_lost_session_are_known_by_their_words(
    text: str, login: bool, lost: bool
) -> None:
    assert (disguised_errors.demands_login(text), disguised_errors.lost_session(text)) == (
        login,
        lost,
    )


ASCII = st.characters(codec="ascii")
"""A few letters of other alphabets count as i, k and s where case does not matter."""


@settings(max_examples=400)
@given(
    st.from_regex(disguised_errors._REFUSED.pattern, fullmatch=True, alphabet=ASCII)
    | st.from_regex(disguised_errors._LOGIN.pattern, fullmatch=True, alphabet=ASCII)
)
def test_no_hint_is_missing_of_what_is_cured_by_a_login(text: str) -> None:
    assert disguised_errors.refuses_key(text[:2000]) or len(text) > 2000
