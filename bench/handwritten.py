"""The yardstick: what a careful person writes with plain temporalio for one fixed graph."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

WORKFLOWS, ACTIVITIES = "plain-wf", "plain-io"


@activity.defn
def noop(value: int) -> int:
    return value


@workflow.defn
class Plain:
    @workflow.run
    async def run(self, shape: str, count: int) -> None:
        if shape == "chain":
            for n in range(count):
                await self.step(n)
        else:
            await asyncio.gather(*(self.step(n) for n in range(count)))

    async def step(self, n: int) -> None:
        limit = timedelta(seconds=60)
        await workflow.execute_activity(
            noop, n, task_queue=ACTIVITIES, start_to_close_timeout=limit
        )


async def main(role: str, address: str) -> None:
    client = await Client.connect(address)
    if role == "workflows":
        await Worker(client, task_queue=WORKFLOWS, workflows=[Plain]).run()
    pool = ThreadPoolExecutor(32)
    await Worker(client, task_queue=ACTIVITIES, activities=[noop], activity_executor=pool).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
