"""The shop's database: 17 tables in SQLite, with the faults that real ones have."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from local.estate import numbers, words
from local.estate.people import TODAY, Person, person

Row = Sequence[Any]

CUSTOMERS, ORDERS, PAYMENTS, EMPLOYEES = 12_000, 25_000, 20_000, 600

_SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
    email TEXT, phone TEXT, date_of_birth TEXT, gender TEXT, loyalty_number TEXT, created_at TEXT);
CREATE TABLE addresses (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers,
    street TEXT, postal_code TEXT, city TEXT, region TEXT, country_code TEXT, is_default INTEGER);
CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT, position INTEGER);
CREATE TABLE products (id INTEGER PRIMARY KEY, category_id INTEGER REFERENCES categories,
    name TEXT, ean TEXT, price_cents INTEGER, weight_grams INTEGER);
CREATE TABLE orders (id INTEGER PRIMARY KEY, order_number TEXT, customer_id INTEGER
    REFERENCES customers, token TEXT, placed_at TEXT, status TEXT, total_cents INTEGER,
    currency TEXT, client_ip TEXT);
CREATE TABLE order_items (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders,
    product_id INTEGER REFERENCES products, quantity INTEGER, price_cents INTEGER);
CREATE TABLE payments (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders, method TEXT,
    card_holder TEXT, card_number TEXT, card_expiry TEXT, cvv TEXT, amount_cents INTEGER,
    paid_at TEXT);
CREATE TABLE refunds (id INTEGER PRIMARY KEY, payment_id INTEGER REFERENCES payments, iban TEXT,
    bic TEXT, amount_cents INTEGER, reason TEXT);
CREATE TABLE employees (id INTEGER PRIMARY KEY, full_name TEXT, work_email TEXT, ssn TEXT,
    birth_date TEXT, department TEXT, salary INTEGER, salary_iban TEXT, manager_id INTEGER
    REFERENCES employees, hired_on TEXT);
CREATE TABLE occupational_health (id INTEGER PRIMARY KEY, employee_id INTEGER
    REFERENCES employees, icd10 TEXT, diagnosis TEXT, blood_group TEXT, seen_on TEXT,
    sick_days INTEGER);
CREATE TABLE support_tickets (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers,
    subject TEXT, body TEXT, opened_at TEXT, priority INTEGER);
CREATE TABLE web_log (id INTEGER PRIMARY KEY, at TEXT, remote TEXT, path TEXT, status INTEGER,
    milliseconds REAL, agent TEXT);
CREATE TABLE devices (id INTEGER PRIMARY KEY, hostname TEXT, mac_address TEXT, firmware TEXT,
    phone TEXT, email INTEGER, serial TEXT, last_seen_epoch INTEGER);
CREATE TABLE shipments (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders, carrier TEXT,
    tracking_number TEXT, parcel_uuid TEXT, latitude REAL, longitude REAL, shipped_on TEXT);
CREATE TABLE t_0047 (k INTEGER PRIMARY KEY, f1 TEXT, f2 TEXT, f3 TEXT, f4 TEXT, f5 TEXT);
CREATE TABLE newsletter_queue (id INTEGER PRIMARY KEY, email TEXT, send_after TEXT);
CREATE TABLE "order ""notes"" / größe" (id INTEGER PRIMARY KEY, "select" TEXT, "from whom?" TEXT,
    attachment BLOB);
"""


def make_shop(path: Path, rng: Random) -> None:
    """Write the database; the same stream of random numbers gives the same rows."""
    customers = [person(rng) for _ in range(CUSTOMERS)]
    staff = [person(rng) for _ in range(EMPLOYEES)]
    db = sqlite3.connect(path)
    with db:
        # One file that is thrown away when making it fails needs no journal.
        db.execute("PRAGMA journal_mode=OFF")
        db.executescript(_SCHEMA)
        for table, rows in _tables(rng, customers, staff):
            _fill(db, table, rows)
    db.close()


def truncate_cards(path: Path) -> int:
    """Mend one fault as PCI DSS 3.5.1 asks: keep first six and last four digits, drop the CVV.

    Returns the number of payments changed.
    """
    db = sqlite3.connect(path)
    with db:
        changed = db.execute(
            "UPDATE payments SET cvv = NULL, "
            "card_number = substr(card_number, 1, 6) || '******' || substr(card_number, -4) "
            "WHERE card_number IS NOT NULL"
        ).rowcount
    db.close()
    return changed


def _fill(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    quoted = '"' + table.replace('"', '""') + '"'
    width = len(db.execute(f"SELECT * FROM {quoted} LIMIT 0").description)
    marks = ", ".join("?" * (width - 1))
    db.executemany(
        f"INSERT INTO {quoted} VALUES (?, {marks})",
        ((n, *row) for n, row in enumerate(rows, start=1)),
    )


def _tables(
    rng: Random, customers: list[Person], staff: list[Person]
) -> Iterator[tuple[str, Iterable[Row]]]:
    """Yield each table with its rows, without the key; the order keeps the references whole."""

    def times(count: int, row: Callable[[Random], Row]) -> Iterable[Row]:
        return (row(rng) for _ in range(count))

    yield "customers", (_customer(rng, p) for p in customers)
    yield "addresses", (_address(rng, n, p) for n, p in enumerate(customers, start=1))
    yield "categories", ((name, n) for n, name in enumerate(words.CATEGORIES))
    yield "products", times(400, _product)
    yield "orders", (_order(rng, n) for n in range(ORDERS))
    yield "order_items", times(40_000, _item)
    yield "payments", (_payment(rng, n, rng.choice(customers)) for n in range(PAYMENTS))
    yield "refunds", times(1_500, _refund)
    yield "employees", (_employee(rng, n, p) for n, p in enumerate(staff))
    yield "occupational_health", times(900, _visit)
    yield "support_tickets", (_ticket(rng, rng.choice(customers)) for _ in range(6_000))
    yield "web_log", times(20_000, _request)
    yield "devices", (_device(rng, n) for n in range(3_000))
    yield "shipments", times(8_000, _shipment)
    yield "t_0047", (_nameless(rng, rng.choice(customers)) for _ in range(5_000))
    yield 'order "notes" / größe', (_note(rng, rng.choice(customers)) for _ in range(200))


def _moment(rng: Random, days: int = 900) -> str:
    end = datetime.combine(TODAY, datetime.min.time())
    return (end - timedelta(seconds=rng.randrange(days * 86_400))).isoformat(sep=" ")


def _day(rng: Random, days: int = 900) -> str:
    return (TODAY - timedelta(days=rng.randrange(days))).isoformat()


def _customer(rng: Random, p: Person) -> Row:
    phone = p.phone if rng.random() < 0.8 else None
    born = p.born.isoformat() if rng.random() < 0.9 else None
    loyalty = f"L{numbers.digits(rng, 9)}"
    return p.first, p.last, p.email, phone, born, p.gender, loyalty, _moment(rng)


def _address(rng: Random, customer: int, p: Person) -> Row:
    return customer, p.street, p.postal_code, p.city, p.region, p.country, int(rng.random() < 0.9)


def _product(rng: Random) -> Row:
    name = f"{rng.choice(words.ADJECTIVES)} {rng.choice(words.THINGS)}"
    ean = "40" + numbers.digits(rng, 11)
    category = rng.randint(1, len(words.CATEGORIES))
    return category, name, ean, rng.randint(400, 90_000), rng.randint(50, 20_000)


def order_number(n: int) -> str:
    return f"SO-2026-{n:07}"


def _order(rng: Random, n: int) -> Row:
    status = rng.choices(("paid", "shipped", "returned", "cancelled"), (20, 70, 6, 4))[0]
    return (
        order_number(n), rng.randint(1, CUSTOMERS), numbers.uuid(rng), _moment(rng), status,
        rng.randint(900, 200_000), rng.choice(("EUR", "EUR", "GBP", "USD")), numbers.ip(rng),
    )  # fmt: skip


def _item(rng: Random) -> Row:
    return rng.randint(1, ORDERS), rng.randint(1, 400), rng.randint(1, 4), rng.randint(400, 90_000)


def _payment(rng: Random, n: int, payer: Person) -> Row:
    by_card = rng.random() < 0.7
    expiry = f"{rng.randint(1, 12):02}/{rng.randint(26, 31)}"
    cvv = numbers.digits(rng, 3) if rng.random() < 0.4 else None
    card = (payer.name, numbers.card(rng), expiry, cvv) if by_card else (None,) * 4
    method = "card" if by_card else rng.choice(("transfer", "wallet"))
    return n + 1, method, *card, rng.randint(900, 200_000), _moment(rng)


def _refund(rng: Random) -> Row:
    reason = rng.choice(("damaged", "late", "changed mind", "wrong item"))
    amount = rng.randint(900, 90_000)
    return rng.randint(1, PAYMENTS), numbers.iban(rng), "COBADEFFXXX", amount, reason


def _employee(rng: Random, n: int, p: Person) -> Row:
    email = f"{p.email.split('@')[0]}@shop.example"
    manager = rng.randint(1, n) if n else None
    return (
        p.name, email, numbers.ssn(rng), p.born.isoformat(), rng.choice(words.DEPARTMENTS),
        rng.randrange(28_000, 140_000, 500), numbers.iban(rng), manager, _day(rng, 4_000),
    )  # fmt: skip


def _visit(rng: Random) -> Row:
    code, text = rng.choice(words.DIAGNOSES)
    group = rng.choice(words.BLOOD_GROUPS) if rng.random() < 0.5 else None
    return rng.randint(1, EMPLOYEES), code, text, group, _day(rng), rng.randint(0, 30)


def _ticket(rng: Random, p: Person) -> Row:
    thing = rng.choice(words.THINGS).lower()
    body = rng.choice(words.TICKETS).format(
        order=order_number(rng.randrange(ORDERS)), phone=p.phone, name=p.name, email=p.email,
        thing=thing, iban=numbers.iban(rng), street=p.street,
    )  # fmt: skip
    subject = rng.choice(("Delivery", "Payment", "Return", "Question", "Thanks"))
    return rng.randint(1, CUSTOMERS), subject, body, _moment(rng), rng.randint(1, 3)


def _request(rng: Random) -> Row:
    path = rng.choice(words.PATHS).format(n=rng.randint(1, 400))
    status = rng.choices((200, 302, 404, 500), (90, 5, 4, 1))[0]
    took = round(rng.lognormvariate(3.5, 0.8), 3)
    return _moment(rng, 30), numbers.ip(rng), path, status, took, rng.choice(words.AGENTS)


def _device(rng: Random, n: int) -> Row:
    """Headers that lie: `phone` is a handset's model, `email` a flag; versions look like IPv4."""
    firmware = ".".join(str(rng.randint(0, 20)) for _ in range(4))
    model = f"Desk-{rng.choice(('A', 'B', 'C'))}{rng.randint(10, 99)}"
    epoch = 1_750_000_000 + rng.randrange(30_000_000)
    serial = numbers.digits(rng, 16)
    return f"till-{n:04}", numbers.mac(rng), firmware, model, rng.randint(0, 1), serial, epoch


def _shipment(rng: Random) -> Row:
    carrier, tracking = rng.choice(words.CARRIERS), numbers.digits(rng, 12)
    latitude, longitude = round(rng.uniform(36, 60), 5), round(rng.uniform(-9, 21), 5)
    parcel = numbers.uuid(rng)
    return rng.randint(1, ORDERS), carrier, tracking, parcel, latitude, longitude, _day(rng)


def _nameless(rng: Random, p: Person) -> Row:
    """Headers that say nothing over e-mail, phone, card, a version and a name."""
    version = f"{rng.randint(1, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}"
    return p.email, p.phone, numbers.card(rng), version, p.name


def _note(rng: Random, p: Person) -> Row:
    text = rng.choice(("Ring twice", "Leave at the door", "No pork, please", "Gift wrap"))
    return text, p.name, rng.randbytes(rng.randint(8, 64))
