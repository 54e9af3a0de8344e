"""Streams over connections whose other end is gone without a word, as after a laptop's sleep."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from anyond.api import tasks
from anyond.api.declaration.params import Nothing
from anyond.client import Address, BlockingClient, Client, following, websocket
from anyond.model.http.bodies import NewTask
from tests.support.daemon import TIMEOUT_S, Daemon


class Relay:
    """Carries connections to a daemon, until it falls silent about those that it has."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.connections = 0
        self.silent: set[int] = set()

    async def serve(self, task_status: trio.TaskStatus[str]) -> None:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        task_status.started(f"http://127.0.0.1:{port}")
        await trio.serve_listeners(self._carry, listeners)

    async def _carry(self, near: trio.SocketStream) -> None:
        self.connections += 1
        number = self.connections
        far = await trio.open_tcp_stream("127.0.0.1", self._port)
        async with far, trio.open_nursery() as nursery:
            nursery.start_soon(self._copy, number, near, far)
            await self._copy(number, far, near)
            nursery.cancel_scope.cancel()

    async def _copy(self, number: int, source: trio.SocketStream, into: trio.SocketStream) -> None:
        try:
            async for piece in source:
                if number in self.silent:
                    await trio.sleep_forever()
                await into.send_all(piece)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # a client that gave up


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_stream_goes_on_after_its_connection_died_in_silence(
    tmp_path: Path, blocking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "QUIET_S", 0.5)
    monkeypatch.setattr(websocket, "QUIET_S", 0.5)
    titles: list[str] = []
    async with Daemon(tmp_path) as daemon, trio.open_nursery() as nursery:
        project = await daemon.project()
        params = tasks.FollowedTasks(project_id=project["id"], after=0)
        relay = Relay(int(daemon.url.rpartition(":")[2]))
        address = Address(await nursery.start(relay.serve))

        async def make(title: str) -> None:
            async with Client(Address(daemon.url)) as client:
                new = NewTask(project_id=project["id"], title=title)
                await client.call(tasks.CREATE_TASK, Nothing(), new)

        async def go_silent() -> None:
            relay.silent.update(range(1, relay.connections + 1))
            await make("second")

        def follow() -> None:
            with (
                BlockingClient(address) as client,
                client.follow(tasks.STREAM_TASKS, params) as frames,
            ):
                for frame in frames:
                    titles.append(frame.data.title)
                    if len(titles) == 2:
                        return
                    trio.from_thread.run(go_silent)

        await make("first")
        with trio.fail_after(TIMEOUT_S):
            if blocking:
                await trio.to_thread.run_sync(follow, abandon_on_cancel=True)
            else:
                async with (
                    Client(address) as client,
                    client.follow(tasks.STREAM_TASKS, params) as frames,
                ):
                    async for frame in frames:
                        titles.append(frame.data.title)
                        if len(titles) == 2:
                            break
                        await go_silent()
        nursery.cancel_scope.cancel()
    assert titles == ["first", "second"]
