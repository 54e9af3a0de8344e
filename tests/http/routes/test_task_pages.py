"""Pages of tasks: together they are the whole list, whatever happens between two of them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from anyond.model.ids import now
from anyond.store.board import tasks
from tests.support.http.front_door import Server, envelope


def ids(answer: httpx.Response) -> list[str]:
    rows: list[dict[str, Any]] = envelope(answer)["data"]
    return [row["id"] for row in rows]


def next_page(answer: httpx.Response) -> str | None:
    link = answer.links.get("next")
    return None if link is None else link["url"]


async def test_all_pages_are_the_whole_list(server: Server) -> None:
    project = await server.project()
    for number in range(7):
        await server.task(project.id, f"task {number}")
    await server.task((await server.project()).id)
    whole = await server.get(f"/api/tasks?project_id={project.id}")
    assert next_page(whole) is None
    pages, address = [], f"/api/tasks?project_id={project.id}&limit=3"
    while True:
        answer = await server.get(address)
        pages.append(envelope(answer)["data"])
        following = next_page(answer)
        if following is None:
            break
        address = following
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [row for page in pages for row in page] == envelope(whole)["data"]


async def test_a_page_goes_on_though_its_last_task_is_gone_and_another_has_come(
    server: Server,
) -> None:
    project = await server.project()
    made = [(await server.task(project.id)).id for _ in range(4)]
    first = await server.get(f"/api/tasks?project_id={project.id}&limit=2")
    assert ids(first) == [made[3], made[2]]
    await server.store.write(lambda tx: tasks.delete(tx, made[2], now()))
    await server.task(project.id)
    following = next_page(first)
    assert following is not None
    assert ids(await server.get(following)) == [made[1], made[0]]


async def test_a_page_that_a_client_holds_is_not_sent_again(server: Server) -> None:
    project = await server.project()
    await server.task(project.id)
    await server.task(project.id)
    path = f"/api/tasks?project_id={project.id}&limit=1"
    first = await server.get(path)
    again = await server.get(path, if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert next_page(again) == next_page(first)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=5", "cursor"),
        ("limit=1&cursor=9999999999999999999999_2025", "cursor"),
        ("limit=1&cursor=%F0%9D%9F%8F_2025", "cursor"),
    ],
)
async def test_what_is_no_page_is_refused_by_its_field(
    server: Server, query: str, field: str
) -> None:
    project = await server.project()
    refused = await server.get(f"/api/tasks?project_id={project.id}&{query}")
    assert refused.status_code == 400
    assert envelope(refused)["error_data"]["field"] == field


async def test_a_page_of_no_project_is_not_found(server: Server) -> None:
    answer = await server.get("/api/tasks?project_id=00000000-0000-4000-8000-000000000000&limit=1")
    assert answer.status_code == 404
