"""The client calls a real daemon by its declarations, and follows it across restarts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import trio

from anyond.api import approvals, events, images, projects, tags, tasks
from anyond.api.declaration.params import Nothing, OfProject, OfTask
from anyond.client import Address, BlockingClient, Client, DaemonNotFound, Refused, Unanswered
from anyond.client.address import find_daemon
from anyond.model.http.bodies import NewTag, NewTask, TaskPatch
from anyond.model.ids import new_id
from anyond.model.rows import ApprovalStatus, TaskStatus
from tests.support.daemon import TIMEOUT_S, Daemon
from tests.support.paths import ROOT

PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


async def test_calls_take_and_return_what_is_declared(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        async with Client(find_daemon(environ=daemon.environment)) as client:
            new = NewTask(project_id=project["id"], title="Brew", description="ä%&?")
            made = await client.call(tasks.CREATE_TASK, Nothing(), new)
            patch = TaskPatch(status=TaskStatus.IN_REVIEW)
            changed = await client.call(tasks.UPDATE_TASK, OfTask(task_id=made.id), patch)
            assert (changed.id, changed.status) == (made.id, TaskStatus.IN_REVIEW)
            listed = tasks.TasksOfProject(project_id=project["id"])
            assert await client.call(tasks.LIST_TASKS, listed) == [changed]
            found = await client.call(projects.LIST_PROJECTS)
            assert [p.id for p in found] == [project["id"]]
            pending = approvals.ApprovalsWithStatus(status=ApprovalStatus.PENDING)
            assert await client.call(approvals.LIST_APPROVALS, pending) == []
            picture = await client.upload(images.UPLOAD_IMAGE, Nothing(), "one.gif", PIXEL)
            displayed = images.OfImage(image_id=picture.id)
            assert await client.download(images.GET_IMAGE_FILE, displayed) == PIXEL
            await client.call(images.DELETE_IMAGE, images.DeleteImage(image_id=picture.id))
            with pytest.raises(Refused) as gone:
                await client.download(images.GET_IMAGE_FILE, displayed)
            assert (gone.value.http_status, gone.value.type) == (404, "not_found")


async def test_a_refusal_has_its_sentence_its_type_and_its_data(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon, daemon.api() as client:
        tag = NewTag(tag_name="tests", content="Write tests.")
        made = await client.call(tags.CREATE_TAG, Nothing(), tag)
        with pytest.raises(Refused, match="There is a tag tests already") as twice:
            await client.call(tags.CREATE_TAG, Nothing(), tag)
        assert (twice.value.http_status, twice.value.type) == (409, "name_taken")
        assert twice.value.data["tag_id"] == made.id
        with pytest.raises(Refused, match="project_id: must be a UUID") as malformed:
            await client.call(projects.GET_PROJECT, OfProject(project_id="7 ?#"))
        assert malformed.value.http_status == 400


async def test_a_stream_goes_on_after_a_restart_of_the_daemon(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        port = int(daemon.url.rpartition(":")[2])
        with trio.fail_after(2 * TIMEOUT_S):
            async with daemon.api() as client:
                params = tasks.FollowedTasks(project_id=project["id"])
                async with client.follow(tasks.STREAM_TASKS, params) as frames:
                    assert (await anext(frames)).data == []
                    await daemon.kill()
                    await daemon.start(port=port)
                    new = NewTask(project_id=project["id"], title="Brew")
                    made = await client.call(tasks.CREATE_TASK, Nothing(), new)
                    created = await anext(frames)
                    assert created.data.id == made.id
                    assert type(created).__name__ == "TaskCreated"


async def test_events_go_on_after_a_restart_of_the_daemon(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        port = int(daemon.url.rpartition(":")[2])
        with trio.fail_after(2 * TIMEOUT_S):
            async with daemon.api() as client:
                params = events.FollowedEvents(after=0)
                async with client.follow_events(events.FOLLOW_EVENTS, params) as reported:
                    for title in ("one", "two"):
                        new = NewTask(project_id=project["id"], title=title)
                        await client.call(tasks.CREATE_TASK, Nothing(), new)
                        event = await anext(reported)
                        assert (event.name, event.data.title) == ("task_created", title)
                        await daemon.kill()
                        await daemon.start(port=port)


async def test_a_stream_that_is_refused_and_a_daemon_that_is_not_there(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon, daemon.api() as client:
        unknown = tasks.FollowedTasks(project_id=new_id())
        async with client.follow(tasks.STREAM_TASKS, unknown) as frames:
            with pytest.raises(Refused, match="There is no project"):
                await anext(frames)
        url = daemon.url
    async with Client(Address(url)) as client:
        with pytest.raises(Unanswered, match="did not answer"):
            await client.call(projects.LIST_PROJECTS)
        async with client.follow(tasks.STREAM_TASKS, unknown) as frames:
            with pytest.raises(Unanswered, match="did not answer"):
                await anext(frames)
    with pytest.raises(DaemonNotFound, match="anyon serve"):
        find_daemon(environ=daemon.environment)


async def test_a_unix_socket_and_a_token_are_found_and_used(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    async with daemon:
        await daemon.stop()
        socket = tmp_path / "a b.sock"
        await daemon.start("--unix", str(socket), "--auth", "token", port=None)
        found = find_daemon(environ=daemon.environment)
        assert found.socket == socket
        assert found.token is not None
        async with Client(found) as client:
            assert await client.call(projects.LIST_PROJECTS) == []
            params = events.FollowedEvents(after=0)
            async with client.follow_events(events.FOLLOW_EVENTS, params) as reported:
                tag = NewTag(tag_name="tests", content="x")
                await client.call(tags.CREATE_TAG, Nothing(), tag)
                del reported
        unknown = tasks.FollowedTasks(project_id=new_id())
        async with Client(found) as client, client.follow(tasks.STREAM_TASKS, unknown) as frames:
            with pytest.raises(Refused, match="There is no project"):
                await anext(frames)
        async with Client(found._replace(token="wrong")) as client:
            with pytest.raises(Refused) as refused:
                await client.call(projects.LIST_PROJECTS)
            assert refused.value.http_status == 401


async def test_a_program_without_an_event_loop_calls_and_follows(tmp_path: Path) -> None:
    def work(url: str, project_id: str) -> list[str]:
        with BlockingClient(Address(url)) as client:
            params = tasks.FollowedTasks(project_id=project_id)
            with client.follow(tasks.STREAM_TASKS, params) as frames:
                assert next(frames).data == []
                new = NewTask(project_id=project_id, title="Brew")
                made = client.call(tasks.CREATE_TASK, Nothing(), new)
                assert next(frames).data.id == made.id
            with client.follow_events(
                events.FOLLOW_EVENTS, events.FollowedEvents(after=0)
            ) as reported:
                assert next(reported).data.id == made.id
            with pytest.raises(Refused, match="must not be blank"):
                client.call(tasks.CREATE_TASK, Nothing(), NewTask(project_id=project_id, title=" "))
            return [project.id for project in client.call(projects.LIST_PROJECTS)]

    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        found = await trio.to_thread.run_sync(work, daemon.url, project["id"])
        assert found == [project["id"]]


async def test_the_example_of_the_page_works_as_it_stands(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    example = page.split("```python\n")[1].split("```")[0]
    async with Daemon(tmp_path) as daemon:
        project = await daemon.project()
        await daemon.use_fake_agent()
        attempt = await daemon.attempt(project, "say hello")
        process = await daemon.over(attempt)
        names = f"project_id, process_id = {project['id']!r}, {process['id']!r}\n"
        done = await trio.run_process(
            [sys.executable, "-c", names + example],
            env={**daemon.environment, "ANYON_URL": daemon.url},
            capture_stdout=True,
        )
    assert done.stdout.startswith(b"0 ")
