"""The shop's folder of files: CSV, JSON Lines and Parquet, one of them half written."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from local.estate import numbers, words
from local.estate.people import person

_EVENTS = 30_000


def make_files(folder: Path, rng: Random) -> None:
    """Write the folder; the same stream of random numbers gives the same values."""
    folder.mkdir()
    _hr_export(folder / "hr_export.csv", rng)
    _marketing_list(folder / "marketing list (final).csv", rng)
    _reviews(folder / "reviews.jsonl", rng)
    _releases(folder / "releases.csv", rng)
    _events(folder / "events", rng)
    _csv(folder / "unsubscribed.csv", ("email", "at"), ())
    _half_written(folder / "events", folder / "stock_snapshot.parquet")


def _csv(
    path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]], *, delimiter: str = ",",
    encoding: str = "utf-8",
) -> None:  # fmt: skip
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _hr_export(path: Path, rng: Random) -> None:
    """As an office suite saves it: semicolons and a byte-order mark."""
    header = ("Personnel No", "Surname", "Given name", "DNI", "Born", "Private mobile", "IBAN",
              "Disability degree", "Religion", "Cost centre")  # fmt: skip
    rows = []
    for n in range(2_000):
        p = person(rng)
        disability = rng.choice((20, 30, 50, 80)) if rng.random() < 0.08 else ""
        religion = rng.choice(("none", "catholic", "protestant", "muslim", "jewish", ""))
        born = p.born.strftime("%d/%m/%Y")
        health = (disability, religion)
        rows.append((f"P{n:05}", p.last, p.first, numbers.dni(rng), born, p.phone,
                     numbers.iban(rng), *health, rng.randint(4000, 4999)))  # fmt: skip
    _csv(path, header, rows, delimiter=";", encoding="utf-8-sig")


def _marketing_list(path: Path, rng: Random) -> None:
    header = ("contact", "reach", "where", "opt in", "segment", "score")
    rows = []
    for _ in range(8_000):
        p = person(rng)
        reach = p.email if rng.random() < 0.95 else p.phone
        segment = rng.choice(("new", "loyal", "asleep"))
        rows.append((p.name, reach, p.city, rng.choice("yn"), segment, round(rng.random(), 3)))
    _csv(path, header, rows)


def _reviews(path: Path, rng: Random) -> None:
    with path.open("w", encoding="utf-8") as file:
        for n in range(3_000):
            p = person(rng)
            thing = rng.choice(words.THINGS)
            author = {"display": p.first, "email": p.email, "ip": numbers.ip(rng)}
            review = {"id": n, "author": author, "stars": rng.randint(1, 5), "product": thing}
            file.write(json.dumps(review | {"text": f"{thing}: as described."}) + "\n")


def _releases(path: Path, rng: Random) -> None:
    """Near misses only: versions, UUIDs, object ids, build numbers of card and phone length."""
    header = ("version", "build", "commit_uuid", "oid", "ticket", "released_epoch", "isbn")

    def row() -> tuple[Any, ...]:
        version = ".".join(str(rng.randint(0, 20)) for _ in range(4))
        oid, ticket = f"1.3.6.1.4.{rng.randint(1, 60000)}", f"TK-{numbers.digits(rng, 10)}"
        epoch, isbn = 1_700_000_000 + rng.randrange(80_000_000), f"978{numbers.digits(rng, 10)}"
        return version, numbers.digits(rng, 16), numbers.uuid(rng), oid, ticket, epoch, isbn

    _csv(path, header, (row() for _ in range(1_200)))


def _events(folder: Path, rng: Random) -> None:
    """A log partitioned by year and month, as a lake keeps it."""
    header = ("year", "month", "event_id", "kind", "visitor_email", "remote_ip", "amount", "ua")
    kinds = ("view", "view", "view", "cart", "login", "purchase")
    with TemporaryDirectory() as scratch:
        source = Path(scratch) / "events.csv"
        rows = []
        for n in range(_EVENTS):
            email = person(rng).email if rng.random() < 0.1 else None
            amount = round(rng.lognormvariate(3, 1), 2)
            rows.append((2026, n % 6 + 1, numbers.uuid(rng), rng.choice(kinds), email,
                         numbers.ip(rng), amount, rng.choice(words.AGENTS)))  # fmt: skip
        _csv(source, header, rows)
        with duckdb.connect(config={"threads": 1}) as lake:
            lake.execute(
                f"COPY (FROM read_csv('{source}', header = true)) TO '{folder}' "
                "(FORMAT parquet, PARTITION_BY (year, month))"
            )


def _half_written(folder: Path, target: Path) -> None:
    """Cut a Parquet file in the middle, as a full disk does: it has no footer."""
    whole = sorted(folder.rglob("*.parquet"))[0].read_bytes()
    target.write_bytes(whole[: len(whole) // 2])
