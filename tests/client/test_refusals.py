"""Refusals come out of the client as the classes that declare them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import trio

from anyond.api import projects, tags, tasks
from anyond.api.declaration.params import Nothing, OfProject
from anyond.client import Address, BlockingClient, Client, Refused
from anyond.client.refusals import refusal
from anyond.model.errors import AnyondError, Conflict, Unauthorized
from anyond.model.http.bodies import NewTag
from anyond.model.ids import new_id
from anyond.model.refusals import every
from anyond.model.refusals.requests import Absent, Invalid
from anyond.model.refusals.runs import AlreadyDecided
from anyond.model.refusals.worktrees import NameTaken
from anyond.model.rows import ApprovalStatus
from tests.support.daemon import Daemon


def content(message: str, **data: object) -> bytes:
    return msgspec.json.encode({"success": False, "message": message, "error_data": data or None})


@pytest.mark.parametrize("name", every())
def test_every_declared_refusal_is_caught_as_what_it_is(name: str) -> None:
    found = refusal(409, content("No.", type=name))
    assert isinstance(found, every()[name])
    assert isinstance(found, Refused)
    assert (str(found), found.type, found.http_status) == ("No.", name, 409)
    for field in every()[name].fields:
        assert getattr(found, field) is not None  # what was not sent is UNSET, or the sentence


def test_fields_have_their_types() -> None:
    found = refusal(409, content("Answered.", type="already_decided", status="approved"))
    assert isinstance(found, AlreadyDecided)
    assert found.status is ApprovalStatus.APPROVED
    odd = refusal(409, content("Answered.", type="already_decided", status="postponed"))
    assert isinstance(odd, AlreadyDecided)
    assert odd.status == "postponed"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", content("x", type=7), content("x", type="of_a_newer_daemon")]
)
def test_what_is_not_known_is_a_plain_refusal(body: bytes) -> None:
    found = refusal(418, body)
    assert type(found) is Refused
    assert not isinstance(found, AnyondError)
    assert found.http_status == 418


async def test_a_daemon_refuses_by_class(tmp_path: Path) -> None:
    def twice(url: str) -> None:
        with BlockingClient(Address(url)) as client, pytest.raises(NameTaken):
            client.call(tags.CREATE_TAG, Nothing(), NewTag(tag_name="tests", content="x"))

    async with Daemon(tmp_path) as daemon:
        address = Address(daemon.url)
        async with Client(address) as client:
            tag = NewTag(tag_name="tests", content="Write tests.")
            made = await client.call(tags.CREATE_TAG, Nothing(), tag)
            with pytest.raises(NameTaken) as taken:
                await client.call(tags.CREATE_TAG, Nothing(), tag)
            assert taken.value.tag_id == made.id
            with pytest.raises(Conflict):  # the kind that it is of
                await client.call(tags.CREATE_TAG, Nothing(), tag)
            with pytest.raises(Invalid) as invalid:
                await client.call(projects.GET_PROJECT, OfProject(project_id="7"))
            assert invalid.value.field == "project_id"
        await trio.to_thread.run_sync(twice, daemon.url)


async def test_the_refusal_of_a_stream_leaves_its_block_as_it_is(tmp_path: Path) -> None:
    def follow(url: str) -> None:
        with BlockingClient(Address(url)) as client:
            unknown = tasks.FollowedTasks(project_id=new_id())
            with client.follow(tasks.STREAM_TASKS, unknown) as frames:
                next(frames)

    async with Daemon(tmp_path) as daemon:
        async with Client(Address(daemon.url)) as client:
            unknown = tasks.FollowedTasks(project_id=new_id())
            with pytest.raises(Absent) as absent:
                async with client.follow(tasks.STREAM_TASKS, unknown) as frames:
                    await anext(frames)
            assert absent.value.what == "project"
        with pytest.raises(Absent):
            await trio.to_thread.run_sync(follow, daemon.url)


async def test_a_missing_token_is_a_class_too(tmp_path: Path) -> None:
    async with Daemon(tmp_path) as daemon:
        await daemon.stop()
        await daemon.start("--auth", "token")
        async with Client(Address(daemon.url)) as client:
            with pytest.raises(Unauthorized):
                await client.call(projects.LIST_PROJECTS)
