"""`racine dev`: the whole stack on this machine until Ctrl-C."""

import asyncio
import os
import signal
from pathlib import Path

from local.exits import errors_told
from local.stack.ports import HOST, Ports, choose
from local.stack.screen import Screen, welcome
from local.stack.state import Running, StateFolder
from local.stack.supervisor import Stack
from models.schema import upgrade
from models.session import Database
from services.bootstrap import ADMIN_EMAIL
from tools.temporal.binary import temporal_binary


def dev(root: Path, port: int | None, *, fresh: bool) -> None:
    """Run the stack over the state folder; exit with the reason when it cannot work."""
    with errors_told():
        state = StateFolder(root)
        if fresh:
            state.refuse_foreign()
        state.make()
        with state.locked():
            if fresh:
                state.empty()
            asyncio.run(_run(state, choose(port)))


async def _run(state: StateFolder, ports: Ports) -> None:
    screen = Screen(state.logs)
    first_start = not state.password_file.exists()
    binary = await asyncio.to_thread(temporal_binary, screen.say)
    database = Database(state.database_url)
    upgrade(database)
    database.close()
    stack, stop = Stack(binary, state, ports, screen.log), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    announcing = asyncio.create_task(_announce(stack, state, ports, screen, first_start))
    try:
        with screen.health(lambda: stack.children):
            await stack.run(stop)
    finally:
        announcing.cancel()
    screen.say("Stopped; nothing is left running.")


async def _announce(
    stack: Stack, state: StateFolder, ports: Ports, screen: Screen, first_start: bool
) -> None:
    await stack.ready.wait()
    state.tell_running(
        Running(
            pid=os.getpid(),
            api=f"http://{HOST}:{ports.api}",
            web=f"http://{HOST}:{ports.web}",
            temporal=f"{HOST}:{ports.temporal}",
        )
    )
    screen.say(welcome(ports, state.root))
    if first_start and state.password_file.exists():
        password = state.password_file.read_text().strip()
        screen.say(f"  Sign in as     {ADMIN_EMAIL} with {password}  (shown this once)")
