"""Measures `racine scan` on one core: 200,000 rows of 30 columns, every row and classifier.

Run as `uv run python -m bench.scan`. The clock starts before the process does and stops when it has
ended. The floor is DuckDB reading the same file as text on the same core in the same run: what no
scanner can be faster than by much. Beside it stands what a second scan of unchanged files and what
1,000 partitions cost. The last line is JSON.
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import scan_again

ROWS = 200_000
_FIRST = "Ada Grace Linus Margaret Edsger Barbara Donald Katherine Alan Radia Ken Frances".split()
_LAST = "Novak Silva Okafor Nguyen Rossi Meyer Haddad Kowalski Tanaka Dubois Larsen Moreau".split()
_STREETS = "High Street,Obere Gasse,Rue de la Paix,Via Roma,Long Lane,Calle Mayor".split(",")
_CITIES = "Lisbon Ghent Turin Porto Graz Bergen Leeds Lyon Basel Malmo".split()
_WORDS = "order arrived late please call the customer about a refund of the second item".split()

_PROGRAM = Path(__file__).resolve().parent.parent / "server.py"

_FLOOR = """
import duckdb, sys
cursor = duckdb.connect(config={"threads": 1}).execute(
    "SELECT * FROM read_csv(?, all_varchar = true)", [sys.argv[1]])
while cursor.fetchmany(20_000):
    pass
"""


def _columns(dice: random.Random) -> dict[str, Callable[[int], str]]:
    """Return 30 columns as real tables have them: keys, people, places, money, codes, text."""
    pick, number = dice.choice, dice.randrange
    person = lambda n: f"{pick(_FIRST)} {pick(_LAST)}"  # noqa: E731
    return {
        "id": str,
        "uuid": lambda n: str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        "first_name": lambda n: pick(_FIRST),
        "last_name": lambda n: pick(_LAST),
        "full_name": person,
        "email": lambda n: f"{pick(_LAST).lower()}.{n}@example.org",
        "phone": lambda n: f"+44 20 7{number(10**3):03d} {number(10**4):04d}",
        "mobile": lambda n: f"0{number(150, 180)}{number(10**7):07d}",
        "street": lambda n: f"{pick(_STREETS)} {number(1, 200)}",
        "city": lambda n: pick(_CITIES),
        "postcode": lambda n: f"{number(10**4, 10**5)}",
        "country": lambda n: pick(("PT", "BE", "IT", "AT", "NO", "GB", "FR", "CH", "SE")),
        "born": lambda n: f"{number(1940, 2005)}-{number(1, 13):02d}-{number(1, 29):02d}",
        "gender": lambda n: pick("MFX"),
        "card_number": lambda n: _card(number(10**11)),
        "iban": lambda n: f"DE{number(10, 99)}{number(10**18):018d}",
        "amount": lambda n: f"{dice.lognormvariate(3, 1):.2f}",
        "tax": lambda n: f"{dice.lognormvariate(1, 1):.2f}",
        "currency": lambda n: pick(("EUR", "GBP", "NOK", "CHF")),
        "status": lambda n: pick(("new", "paid", "sent", "returned", "n/a")),
        "created_at": lambda n: f"2026-{number(1, 13):02d}-{number(1, 29):02d}T{number(24):02d}:00",
        "ip": lambda n: ".".join(str(number(256)) for _ in range(4)),
        "user_agent": lambda n: f"Agent/{number(9)}.{number(99)}",
        "url": lambda n: f"https://example.org/item/{number(10**5)}",
        "version": lambda n: f"{number(9)}.{number(30)}.{number(99)}",
        "sku": lambda n: f"SKU-{number(10**6):06d}",
        "quantity": lambda n: str(number(1, 20)),
        "score": lambda n: f"{dice.random():.6f}",
        "hash": lambda n: f"{dice.getrandbits(128):032x}",
        "comment": lambda n: " ".join(dice.choices(_WORDS, k=number(3, 15))),
    }


def _card(stem: int) -> str:
    digits = f"4539{stem:011d}"
    total = sum(
        int(digit) if place % 2 else sum(divmod(2 * int(digit), 10))
        for place, digit in enumerate(digits)
    )
    return f"{digits}{-total % 10}"


def write(path: Path, rows: int) -> None:
    columns = _columns(random.Random(20260101))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows([make(n) for make in columns.values()] for n in range(rows))


@dataclass(frozen=True)
class Timing:
    seconds: float
    """From the start of the process to its end."""
    cpu: float
    peak: int
    """Largest resident memory in bytes."""
    output: bytes


def timed(command: list[str]) -> Timing:
    """Run a process on one core."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, {_core()})
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    assert os.waitstatus_to_exitcode(status) == 0, f"{command} failed"
    return Timing(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output)


def _core() -> int:
    return max(os.sched_getaffinity(0))


def _seconds(timing: Timing) -> float:
    return timing.seconds


def main(rows: int = ROWS, runs: int = 3) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write(path, rows)
        size = path.stat().st_size
        scan = [sys.executable, str(_PROGRAM), "scan", str(path), "--output", "json"]
        floors = [timed([sys.executable, "-c", _FLOOR, str(path)]) for _ in range(runs)]
        scans = [timed(scan) for _ in range(runs)]
        sketched = scan_again.governed(path, rows)
        write(path, max(rows // 20, 1))
        again = sketched | scan_again.unchanged(path) | scan_again.partitions()
    report = json.loads(scans[0].output)
    assert report["totals"]["rows"] == rows, "not every row was read"
    best, floor = min(scans, key=_seconds), min(map(_seconds, floors))
    seconds = best.seconds
    result = {
        "bench": "scan",
        "rows": rows,
        "columns": report["totals"]["columns"],
        "bytes": size,
        "classified": report["totals"]["classified"],
        "seconds": round(seconds, 3),
        "cpu_seconds": round(best.cpu, 3),
        "rows_per_second": round(rows / seconds),
        "floor_seconds": round(floor, 3),
        "times_floor": round(seconds / floor, 2),
        "peak_rss_mb": round(max(scan.peak for scan in scans) / 2**20),
        **again,
    }
    print(f"{rows:,} rows of {result['columns']} columns, {size / 2**20:.0f} MB, one core")
    print(f"racine scan  {seconds:6.2f} s   {rows / seconds:>9,.0f} rows/s   "
          f"peak {result['peak_rss_mb']} MB")  # fmt: skip
    print(f"DuckDB read  {floor:6.2f} s   {rows / floor:>9,.0f} rows/s")
    print(f"governed     {again['governed_seconds']:6.2f} s   "
          f"{again['governed_rows_per_second']:>9,} rows/s   with sketches kept")  # fmt: skip
    first, second, share = (
        again[name] for name in ("first_scan_seconds", "rescan_seconds", "rescan_share")
    )
    print(f"first scan   {first:6.2f} s   20 files; unchanged {second:.2f} s, {share:.1%}")
    print(f"{again['partitions']:,} parts  {again['partitions_seconds']:6.2f} s   "
          f"the same rows in one file {again['one_file_seconds']:.2f} s, "
          f"{again['partitions_times_one_file']}x the CPU")  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
