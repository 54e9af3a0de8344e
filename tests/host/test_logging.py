"""The log can be read by people and by programs, and holds no secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from anyond.host.logging import configure


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("anyond")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:], root.level, ours.level = before
    structlog.reset_defaults()


def test_a_json_line_has_time_level_and_values() -> None:
    out = io.StringIO()
    configure("info", out, as_json=True)
    structlog.get_logger("anyond.http").info("Served.", status=200)
    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["status"]) == ("Served.", "info", 200)
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("as_json", [False, True])
def test_secrets_are_hidden_wherever_they_are(as_json: bool) -> None:
    out = io.StringIO()
    configure("debug", out, as_json=as_json)
    log = structlog.get_logger(__name__)
    log.info("Using ghp_0123456789abcdef now.", oauth_token="SECRET-1")
    log.info("x", headers={"Authorization": "SECRET-2"}, argv=["git", "https://u:SECRET-3@host/"])
    log.info("Sent Bearer SECRET-4-0123456789abcdef.")
    try:
        raise ValueError("https://u:SECRET-5@host/")
    except ValueError:
        log.exception("Failed.")
    assert "SECRET" not in out.getvalue()
    assert "ghp_0123456789abcdef" not in out.getvalue()
    assert "ValueError" in out.getvalue()


def test_the_level_holds_for_ours_and_libraries_only_warn() -> None:
    out = io.StringIO()
    configure("info", out, as_json=False)
    structlog.get_logger().debug("quiet")
    logging.getLogger("library").info("chatter")
    logging.getLogger("library").warning("trouble %d", 7)
    structlog.get_logger().info("news", n=1)
    text = out.getvalue()
    assert "quiet" not in text
    assert "chatter" not in text
    assert "trouble 7" in text
    assert "news" in text
    assert "\x1b[" not in text


def test_what_is_complained_of_ten_times_a_second_is_a_line_a_minute() -> None:
    out = io.StringIO()
    configure("info", out, as_json=False)
    for _ in range(20):
        try:
            raise OSError(24, "Too many open files")
        except OSError:
            logging.getLogger("trio.serve_listeners").exception("accept returned EMFILE")
    assert out.getvalue().count("accept returned EMFILE") == 1
    assert "Traceback" not in out.getvalue()
