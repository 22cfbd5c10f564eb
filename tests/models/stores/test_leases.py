"""Leases, on both engines."""

import threading

from models.session import Database
from models.stores import leases


def test_one_of_many_takes_a_free_lease(db: Database) -> None:
    taken: list[str] = []
    barrier = threading.Barrier(8)

    def take(holder: str) -> None:
        barrier.wait()
        with db.write() as session:
            if leases.take(session, "reconciler", holder, 60):
                taken.append(holder)

    threads = [threading.Thread(target=take, args=(f"process-{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1


def test_a_holder_renews_and_others_wait_until_it_ends(db: Database) -> None:
    with db.write() as session:
        assert leases.take(session, "reconciler", "a", 60)
        assert leases.take(session, "reconciler", "a", 60)
        assert not leases.take(session, "reconciler", "b", 60)
        assert leases.take(session, "another", "b", 60)
    with db.write() as session:
        leases.release(session, "reconciler", "a")
        assert leases.take(session, "reconciler", "b", -1)
        assert leases.take(session, "reconciler", "a", 60)
