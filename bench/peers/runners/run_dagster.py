"""Times runs of no-op ops in Dagster: the multiprocess executor, four at once, from call to end."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dagster import (
    DagsterInstance,
    DynamicOut,
    DynamicOutput,
    In,
    JobDefinition,
    Nothing,
    OpExecutionContext,
    execute_job,
    job,
    multiprocess_executor,
    op,
    reconstructable,
)

CONFIG = {"execution": {"config": {"max_concurrent": 4}}}


@op
def first() -> int:
    return 0


@op
def step(x: int) -> int:
    return x


@op(ins={"after": In(Nothing)}, config_schema={"count": int}, out=DynamicOut(int))
def items(context: OpExecutionContext) -> Iterator[DynamicOutput[int]]:
    for n in range(context.op_config["count"]):
        yield DynamicOutput(n, mapping_key=f"n{n}")


def chain(count: int) -> JobDefinition:
    @job(name=f"chain_{count}", executor_def=multiprocess_executor)
    def made() -> None:
        value = first()
        for n in range(count - 1):
            value = step.alias(f"step_{n}")(value)

    return made


def fan_out(count: int) -> JobDefinition:
    @job(
        name=f"fan_out_{count}",
        executor_def=multiprocess_executor,
        config={"ops": {"items": {"config": {"count": count}}}, **CONFIG},
    )
    def made() -> None:
        items().map(step)

    return made


def chain_20() -> JobDefinition:
    return chain(20)


def chain_100() -> JobDefinition:
    return chain(100)


def fan_out_20() -> JobDefinition:
    return fan_out(20)


def fan_out_100() -> JobDefinition:
    return fan_out(100)


JOBS = {f.__name__: f for f in (chain_20, fan_out_20, chain_100, fan_out_100)}


def main(folder: Path, sizes: list[int], repeats: int) -> None:
    os.environ["DAGSTER_HOME"] = str(folder)
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    with DagsterInstance.get() as instance:
        run(instance, "chain_20")
        names = [f"{shape}_{size}" for size in sizes for shape in ("chain", "fan_out")]
        taken = {name: [run(instance, name) for _ in range(repeats)] for name in names}
    print(json.dumps(taken))


def run(instance: DagsterInstance, name: str) -> float:
    config = CONFIG if name.startswith("chain") else None
    began = time.perf_counter()
    with execute_job(reconstructable(JOBS[name]), instance=instance, run_config=config) as result:
        taken = time.perf_counter() - began
        if not result.success:
            raise SystemExit(f"{name} failed")
    return taken


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]))
