"""Comments collect, go to the agent as one message, and each says what became of its lines."""

from __future__ import annotations

from typing import Any

from tests.support.daemon import Daemon

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def finished(daemon: Daemon) -> tuple[dict[str, Any], str]:
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(), "write tea.md green\nwrite pot.md warm")
    await daemon.over(attempt)
    return attempt, f"/api/task-attempts/{attempt['id']}"


async def test_a_review_is_one_message_and_its_comments_are_followed(daemon: Daemon) -> None:
    attempt, path = await finished(daemon)
    first = {"path": "tea.md", "start_line": 1, "lines": "green", "body": "write tea.md black"}
    await daemon.ask("POST", f"{path}/reviews/comments", first)
    second = {"path": "pot.md", "start_line": 1, "lines": "warm", "body": "say it stays warm"}
    opened = await daemon.ask("POST", f"{path}/reviews/comments", second)
    assert [one["state"] for one in opened["comments"]] == ["open", "open"]
    extra = await daemon.ask("POST", f"{path}/reviews/comments", {"body": "say no"})
    comment = f"{path}/reviews/comments/{extra['comments'][2]['id']}"
    edited = await daemon.ask("PUT", comment, {"body": "say yes"})
    assert edited["comments"][2]["body"] == "say yes"
    await daemon.ask("DELETE", comment)
    # It outlives the daemon, and is not sent before somebody says so.
    await daemon.kill()
    await daemon.start()
    (kept,) = await daemon.ask("GET", f"{path}/reviews")
    assert [one["body"] for one in kept["comments"]] == [first["body"], second["body"]]
    sent = await daemon.ask("POST", f"{path}/reviews/submit", {"text": "Please:"})
    assert (sent["submitted_as"], sent["comments"][0]["state"]) == ("message", "sent")
    process = await daemon.over(attempt)
    prompt = process["executor_action"]["typ"]["prompt"]
    assert prompt == (
        "Please:\n\n1. tea.md:1\n> green\n\nwrite tea.md black\n\n"
        "2. pot.md:1\n> warm\n\nsay it stays warm"
    )
    (reviewed,) = await daemon.ask("GET", f"{path}/reviews")
    assert [one["state"] for one in reviewed["comments"]] == ["changed", "untouched"]
    again = await daemon.request("POST", f"{path}/reviews/submit", json={})
    assert again.status_code == 404
    gone = await daemon.request("PUT", comment, json={"body": "too late"})
    assert gone.status_code == 404


async def test_a_queued_review_comes_after_what_a_person_has_begun(daemon: Daemon) -> None:
    attempt, path = await finished(daemon)
    await daemon.ask("POST", f"{path}/follow-up", {"prompt": "sleep 600"})
    await daemon.ask("PUT", f"{path}/draft", {"prompt": "say mine first"})
    await daemon.ask("POST", f"{path}/reviews/comments", {"body": "say the review"})
    busy = await daemon.request("POST", f"{path}/reviews/submit", json={})
    assert busy.status_code == 409
    assert (await daemon.ask("GET", f"{path}/reviews"))[0]["submitted_at"] is None
    await daemon.ask("POST", f"{path}/reviews/submit", {"submit_as": "queue"})
    draft = await daemon.ask("GET", f"{path}/draft")
    assert draft["queued"]
    assert draft["prompt"] == "say mine first\n\n1.\n\nsay the review"
    await daemon.ask("POST", f"{path}/stop")
    assert attempt["id"] == draft["task_attempt_id"]


async def test_wrong_comments_are_refused_and_files_are_seen_by_version(daemon: Daemon) -> None:
    attempt, path = await finished(daemon)
    for wrong in (
        {"body": " "},
        {"body": "x", "lines": "y"},
        {"body": "x", "start_line": 1},
        {"body": "x", "path": "a", "start_line": 3, "end_line": 2},
        {"body": "x", "path": "a", "start_line": 0},
    ):
        refused = await daemon.request("POST", f"{path}/reviews/comments", json=wrong)
        assert refused.status_code == 400, wrong
    outside = {"path": "../../../etc/passwd", "start_line": 1, "lines": "root", "body": "say x"}
    await daemon.ask("POST", f"{path}/reviews/comments", outside)
    await daemon.ask("POST", f"{path}/reviews/submit", {})
    await daemon.over(attempt)
    (one,) = await daemon.ask("GET", f"{path}/reviews")
    assert one["comments"][0]["state"] == "changed", "nothing outside is read"
    version = (await daemon.ask("GET", f"{path}/diff"))["files"][0]["version"]
    seen = {"path": "pot.md", "version": version}
    assert await daemon.ask("PUT", f"{path}/files-seen", seen) == [seen]
    assert await daemon.ask("GET", f"{path}/files-seen") == [seen]
    assert await daemon.ask("PUT", f"{path}/files-seen", {"path": "pot.md"}) == []
    missing = await daemon.request("GET", f"/api/task-attempts/{UNKNOWN}/reviews")
    assert missing.status_code == 404
