"""A conversation is read from its end, through all runs of an attempt, at work or not."""

from __future__ import annotations

from typing import Any

from tests.support.daemon import Daemon


async def parts(daemon: Daemon, path: str, tail: int) -> list[dict[str, Any]]:
    """All entries, read part by part from the end."""
    found: list[dict[str, Any]] = []
    page = await daemon.ask("GET", f"{path}?tail={tail}")
    while True:
        assert len(page["entries"]) <= tail
        found = page["entries"] + found
        if page["before"] is None:
            return found
        page = await daemon.ask("GET", f"{path}?tail={tail}&before={page['before']}")


async def test_all_runs_are_one_conversation_from_the_end(daemon: Daemon) -> None:
    await daemon.use_fake_agent()
    attempt = await daemon.attempt(await daemon.project(), "say one\nwrite a b\nsay two")
    first = await daemon.over(attempt)
    path = f"/api/task-attempts/{attempt['id']}"
    await daemon.ask("POST", f"{path}/follow-up", {"prompt": "say three\nsleep 600"})
    second = await daemon.running(attempt)
    path += "/conversation"

    async def spoken() -> bool:
        page = await daemon.ask("GET", f"{path}?tail=3")
        return any(one["entry"]["content"] == "three" for one in page["entries"])

    await daemon.until(spoken, "the third word")
    page = await daemon.ask("GET", path)
    assert [run["execution_process_id"] for run in page["runs"]] == [first["id"], second["id"]]
    assert [run["status"] for run in page["runs"]] == ["completed", "running"]
    assert page["runs"][1]["start"] == page["runs"][0]["count"]
    assert page["total"] == len(page["entries"]) == sum(run["count"] for run in page["runs"])
    assert [one["position"] for one in page["entries"]] == list(range(page["total"]))
    of_first = [one for one in page["entries"] if one["execution_process_id"] == first["id"]]
    entries = await daemon.entries(first)
    assert [one["entry"]["content"] for one in of_first] == [one["content"] for one in entries]
    assert [(one["index"], one["seq"]) for one in of_first] == [
        (one["index"], one["seq"]) for one in entries
    ]
    for tail in (1, 2, 3):
        assert await parts(daemon, path, tail) == page["entries"]
    await daemon.ask("POST", f"/api/task-attempts/{attempt['id']}/stop")
    await daemon.kill()
    await daemon.start()
    again = await daemon.ask("GET", path)
    assert [one["entry"]["content"] for one in again["entries"]][: page["total"]] == [
        one["entry"]["content"] for one in page["entries"]
    ]
    assert (await daemon.ask("GET", f"{path}?before=0"))["entries"] == []
    assert (await daemon.ask("GET", f"{path}?before=999999"))["total"] == again["total"]
    for wrong in ("tail=0", "tail=1001", "before=-1", "tail=x"):
        assert (await daemon.request("GET", f"{path}?{wrong}")).status_code == 400, wrong
