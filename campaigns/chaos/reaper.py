"""The killer: aimed at what is being done, at a random moment of the time that it usually takes."""

from __future__ import annotations

import time
from collections import Counter
from random import Random

import trio

from campaigns.chaos.victims import kill_execution, kill_git, kill_orphan
from campaigns.chaos.world import World

SETS = (
    (30, ("daemon",)),
    (9, ("daemon", "shim")),
    (6, ("daemon", "agent")),
    (5, ("daemon", "shim", "agent")),
    (10, ("git", "daemon")),
    (6, ("daemon", "git")),
    (10, ("shim",)),
    (10, ("agent",)),
    (8, ("git",)),
    (6, ("shim", "agent", "shim")),
)
"""Who is killed together, in this order, with weights."""

AGAIN = 0.35
"""How often a daemon is killed once more while it starts."""


class Reaper:
    """Kills until so many kills are done.

    Attributes:
        aimed: how many blows fell on each kind of action.
    """

    def __init__(self, world: World, dice: Random) -> None:
        self._world = world
        self._dice = dice
        self.aimed: Counter[str] = Counter()

    async def reap(self, kills: int, until: float) -> None:
        """Until there are `kills` kills more than now, or it is `until` (Unix seconds)."""
        world, goal = self._world, len(self._world.kills) + kills
        while len(world.kills) < goal and time.time() < until:
            kind = await self._target()
            await trio.sleep(self._dice.random() * 1.3 * min(world.aim.usual(kind), 2.0))
            before = len(world.kills)
            await self._strike()
            self.aimed[kind] += len(world.kills) - before

    async def _target(self) -> str:
        """An action that has just begun; what was seldom hit is preferred."""
        for _ in range(4):
            kind = await self._world.aim.next()
            most = max(self.aimed.values(), default=0)
            if self._dice.random() * most >= 0.5 * self.aimed[kind]:
                return kind
        return kind

    async def _strike(self) -> None:
        world, dice = self._world, self._dice
        weights, sets = zip(*SETS, strict=True)
        victims = dice.choices(sets, weights)[0]
        struck = False
        for victim in victims:
            if victim == "daemon":
                world.kill_daemon()
                struck = True
            elif victim == "git":
                if struck:
                    kill_orphan(world, dice)
                else:
                    await kill_git(world, dice)
            else:
                kill_execution(world, dice, victim)
        if struck:
            await world.gone()
            if dice.random() < 0.3:
                await trio.sleep(dice.random() * 0.8)
            again = dice.random() * 0.8 if dice.random() < AGAIN else None
            await world.start(kill_after=again)
