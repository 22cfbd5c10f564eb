"""Writers of one process take turns."""

from concurrent.futures import ThreadPoolExecutor

from models.session import Database
from models.stores import runs
from tests.models.stores.test_runs import make_run

WRITERS, EACH = 16, 25


def test_no_writer_is_left_behind_by_the_others(db: Database) -> None:
    with db.write() as session:
        make_run(session, "run_1")
    patient = Database(db.url, pool_size=WRITERS)

    def write(writer: int) -> None:
        for n in range(EACH):
            with patient.write() as session:
                runs.add_events(
                    session, [{"run_id": "run_1", "task_key": f"w{writer}", "n": n, "kind": "log"}]
                )

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    patient.close()
    with db.read() as session:
        assert len(runs.events_after(session, "run_1", 0, limit=1000)) == WRITERS * EACH
