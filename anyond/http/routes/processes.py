"""The chapter Execution Processes: single runs of agents and scripts, and their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import Blueprint, Response, request, websocket

from anyond.http import records, streams
from anyond.http.encoders import flavour
from anyond.http.envelope import answer, cached
from anyond.http.query import flag_in, identity, identity_in, position_in
from anyond.model.rows import Change, ExecutionProcess
from anyond.store import attempts, processes
from anyond.store.transaction import Reader

if TYPE_CHECKING:
    from anyond.actors.services import Services

_KINDS = frozenset({"process_started", "process_updated", "process_completed"})


def routes(services: Services) -> Blueprint:
    """`/api/execution-processes` and below."""
    chapter = Blueprint("processes", __name__, url_prefix="/api/execution-processes")
    store = services.store

    def of(attempt_id: str, dropped: bool, reader: Reader) -> list[ExecutionProcess]:
        attempts.get(reader, attempt_id)
        return processes.of_attempt(reader, attempt_id, dropped)

    @chapter.get("")
    async def of_attempt() -> Response:
        attempt_id = identity_in(request.args, "task_attempt_id")
        dropped = flag_in(request.args, "show_soft_deleted")
        return cached(await store.read(lambda r: of(attempt_id, dropped, r)))

    @chapter.get("/<key>")
    async def one(key: str) -> Response:
        id = _id(key)
        return cached(await store.read(lambda r: processes.get(r, id)))

    @chapter.post("/<key>/stop")
    async def stop(key: str) -> Response:
        await services.attempts.stop_process(_id(key))
        return answer(None)

    @chapter.websocket("/<key>/raw-logs/ws")
    async def raw_logs(key: str) -> None:
        id = _id(key)
        after = position_in(websocket.args)
        encoder = flavour(websocket.args).raw(flag_in(websocket.args, "batch"))
        await services.logs.open_raw(id)
        await streams.send(services.logs.raw(id, after), encoder, services.closing)

    @chapter.websocket("/<key>/normalized-logs/ws")
    async def normalized_logs(key: str) -> None:
        id = _id(key)
        after = position_in(websocket.args)
        encoder = flavour(websocket.args).entries(flag_in(websocket.args, "batch"))
        await services.logs.open_raw(id)
        await streams.send(services.logs.entries(id, after), encoder, services.closing)

    @chapter.websocket("/stream/ws")
    async def stream() -> None:
        attempt_id = identity_in(websocket.args, "task_attempt_id")
        dropped = flag_in(websocket.args, "show_soft_deleted")
        after = position_in(websocket.args)
        encoder = flavour(websocket.args).processes(dropped)
        task_id = (await store.read(lambda r: attempts.get(r, attempt_id))).task_id

        def wanted(change: Change) -> bool:
            if change.attempt_id != attempt_id or change.kind not in _KINDS:
                return False
            # The update that says "dropped" is what lets clients take the row away.
            return dropped or not change.dropped or change.kind == "process_updated"

        def last(change: Change) -> bool:
            gone = {"attempt_deleted": attempt_id, "task_deleted": task_id}.get(change.kind)
            return gone is not None and gone == change.key

        rows = records.reading(store, lambda r: processes.of_attempt(r, attempt_id, dropped))
        source = records.follow(store, rows, wanted, after, last)
        await streams.send(source, encoder, services.closing)

    return chapter


def _id(key: str) -> str:
    return identity(key, "execution_process_id")
