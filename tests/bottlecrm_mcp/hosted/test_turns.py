"""Works begin in turns, so that the event loop keeps up with what they need of it."""

import asyncio

import pytest

from bottlecrm_mcp.hosted import turns

WORKS = 3 * turns.TURNS


class Works:
    """Works that are told when they are over, in the order in which they began."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.all_begun, self.over = asyncio.Event(), asyncio.Event()
        self.tasks = [asyncio.ensure_future(self._work(number)) for number in range(WORKS)]

    async def _work(self, number: int) -> None:
        async with turns.taken():
            self.begun.append(number)
            if len(self.begun) == WORKS:
                self.all_begun.set()
            await self.over.wait()

    async def settled(self) -> None:
        """Until each is in its turn or has asked for one."""
        for _ in range(WORKS):
            await asyncio.sleep(0)


def test_few_begin_at_once_and_the_rest_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        works = Works()
        await works.settled()
        assert works.begun == list(range(turns.TURNS))
        works.tasks[0].cancel()
        works.over.set()
        await asyncio.gather(*works.tasks, return_exceptions=True)
        assert works.begun == list(range(WORKS))

    monkeypatch.setattr(turns, "QUICK_SECONDS", 600)
    asyncio.run(run())


def test_what_takes_long_does_not_keep_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "QUICK_SECONDS", 0)

    async def run() -> None:
        works = Works()
        await asyncio.wait_for(works.all_begun.wait(), 30)
        works.over.set()
        await asyncio.gather(*works.tasks)
        # Nor does it give it back twice.
        monkeypatch.setattr(turns, "QUICK_SECONDS", 600)
        again = Works()
        await again.settled()
        assert len(again.begun) == turns.TURNS
        again.over.set()
        await asyncio.gather(*again.tasks)

    asyncio.run(run())
