"""x"""
from __future__ import annotations
import json
import pytest
from collections.abc import Iterator
from tests.end_to_end import claude_cli
from tests.end_to_end.claude_cli import Person, family, said, tools
from tests.end_to_end.house import House, alive

pytestmark = pytest.mark.agents

@pytest.fixture(scope="session")
def model_port() -> Iterator[int]:
    with claude_cli.scripted_model() as port:
        yield port

@pytest.fixture
async def person(house: House, model_port: int) -> Person:
    return await Person.of(house, model_port)

async def _show(person, attempt):
    p = await person.house.over(attempt)
    print(p)
    for e in await person.house.entries(p):
        print(json.dumps(e)[:900])
    return p

async def test_basic(person):
    a = await person.start("basic")
    q = await person.house.question(); print(q)
    p = await person.house.running(a)
    print(family(p))
    await person.approve(q)
    q = await person.house.question()
    await person.approve(q)
    p = await _show(person, a)

@pytest.mark.parametrize("scn", ["linger","err401","err500","midfail","task","todo","recall","once"])
async def test_any(person, scn):
    a = await person.start(scn, "DEFAULT")
    if scn == "linger":
        p = await person.house.running(a)
        async def look():
            return (await person.house.until_ if False else None)
        import trio
        from pathlib import Path
        while not (Path(a["container_ref"])/"pids").exists(): await trio.sleep(0.02)
        await trio.sleep(0.3)
        print(family(p), (Path(a["container_ref"])/"pids").read_text())
        import time; t=time.time()
        await person.house.ask("POST", f"/api/task-attempts/{a['id']}/stop")
        print("stop took", time.time()-t, family(p))
    await _show(person, a)
    print(person.house.log()[-3000:])
