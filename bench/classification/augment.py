"""Columns for training alone: rare types under every name they go by, and what resembles them.

Values of a type come from its classifier (examples redrawn until they pass), headers from its
phrases in any spelling. A phrase with a qualifying word behind it (`email verified`) makes a column
that is nothing. Nothing here is measured on.
"""

import random
import string
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from stdnum import iban, luhn

from bench.classification.labelled import EXTENDED, Label, LabelledTable
from racine.governance.classifications.catalogue import Classifier, classifiers
from racine.governance.classifications.measuring import redraw, valid_values
from racine.governance.classifications.words import lexicon

Draw = Callable[[random.Random], str]

_RARE = (
    "credit_card ssn national_id iban mac_address password swift_bic vin drivers_license passport "
    "bank_account ip_address".split()
)
_QUALIFIERS: dict[str, tuple[str, ...]] = {
    "flag": ("verified", "flag", "valid", "confirmed", "hidden", "opt in", "required", "blocked"),
    "small": ("id", "count", "type id", "length", "code", "rank", "version", "attempts"),
    "date": ("updated at", "changed at", "date", "expires at", "verified at", "issued on"),
    "word": ("type", "status", "format", "category", "source", "provider", "label"),
}
_WORDS = ("home", "work", "other", "basic", "premium", "new", "default", "manual", "import", "api")
_ISSUERS = ("4" + "#" * 15, "51" + "#" * 14, "2221" + "#" * 12, "34" + "#" * 13, "6011" + "#" * 12)


def tables(seed: int = 1, count: int = 420) -> Iterator[LabelledTable]:
    """Yield tables of a few columns each, the same for the same seed."""
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        yield _table(draw, f"made_{number}", f"made_{number % 20}")


def _table(draw: random.Random, name: str, source: str) -> LabelledTable:
    rows = draw.choice((5, 5, 8, 20, 60, 150))
    columns: dict[str, Counter[str]] = {}
    labels: dict[str, Label] = {}
    kinds = draw.sample(_RARE, 2)
    makers = [_typed(draw, kind) for kind in kinds]
    makers += [_qualified(draw) for _ in range(2)]
    makers += [_plain(draw) for _ in range(3)]
    for header, value, label in makers:
        if header not in columns:
            columns[header] = Counter(value(draw) for _ in range(rows))
            labels[header] = label
    return LabelledTable("made", name, source, columns, labels)


def spelled(phrase: str, draw: random.Random) -> str:
    """Return a phrase in one of the spellings that headers have."""
    words = phrase.split()
    style = draw.choice(("snake", "snake", "camel", "pascal", "upper", "spaced", "joined", "kebab"))
    if style == "camel":
        return words[0] + "".join(map(str.capitalize, words[1:]))
    if style == "pascal":
        return "".join(map(str.capitalize, words))
    joined = {"snake": "_", "upper": "_", "spaced": " ", "kebab": "-"}.get(style, "").join(words)
    return joined.upper() if style == "upper" else joined.title() if style == "spaced" else joined


def _typed(draw: random.Random, kind: str) -> tuple[str, Draw, Label]:
    entry = draw.choice([e for e in classifiers() if e.kind == kind and e.headers])
    header = spelled(draw.choice(entry.headers), draw)
    return header, _values(entry, draw), Label(frozenset({kind}))


def _values(entry: Classifier, draw: random.Random) -> Draw:
    own = {
        "payment_card": _card,
        "iban": _iban,
        "mac_address": _mac,
        "password": draw.choice((_plain_password, _bcrypt, _hex(32))),
        "swift_bic": _bic,
        "vin": _vin,
        "ip_address": lambda d: ".".join(str(d.randint(1, 254)) for _ in range(4)),
        "us_ssn": draw.choice((_ssn, _ssn, _bare_ssn)),
    }
    if entry.id in own:
        return own[entry.id]
    if not entry.shape or not entry.matching:
        return draw.choice((_digits(draw.randint(7, 12)), _coded(draw.randint(7, 9))))
    if draw.random() < 0.25:  # test data: right form, check digits left to chance
        return lambda d: redraw(d.choice(entry.matching), d)
    ready = valid_values(entry, 40)
    return lambda d: d.choice(ready)


def _qualified(draw: random.Random) -> tuple[str, Draw, Label]:
    entry = draw.choice([e for e in classifiers() if e.kind in EXTENDED and _plain_names(e)])
    phrase = draw.choice(_plain_names(entry))
    sort = draw.choice(list(_QUALIFIERS))
    suffix = draw.choice(_QUALIFIERS[sort])
    values: dict[str, Draw] = {
        "flag": lambda d: d.choice(("true", "false")),
        "small": lambda d: str(d.randint(1, 40)),
        "date": _stamp,
        "word": lambda d: d.choice(_WORDS),
    }
    header = spelled(f"{phrase} {suffix}", draw)
    return header, values[sort], Label(frozenset(), trap="a qualified name")


def _plain_names(entry: Classifier) -> list[str]:
    return [phrase for phrase in entry.headers if phrase.isascii()]


def _plain(draw: random.Random) -> tuple[str, Draw, Label]:
    header, value = draw.choice(_PLAIN)
    if value is _ANY_NUMBER:
        value = _digits(draw.randint(6, 18))
    return (
        spelled(draw.choice(header.split(", ")), draw),
        value,
        Label(frozenset(), trap="look-alike"),
    )


def _digits(length: int) -> Draw:
    return lambda d: d.choice("123456789") + "".join(d.choices(string.digits, k=length - 1))


_ANY_NUMBER = _digits(1)


def _coded(length: int) -> Draw:
    return lambda d: d.choice(string.ascii_uppercase) + _digits(length - 1)(d)


def _fill(form: str, draw: random.Random) -> str:
    return "".join(draw.choice(string.digits) if c == "#" else c for c in form)


def _card(draw: random.Random) -> str:
    number = _fill(draw.choice(_ISSUERS), draw)
    if draw.random() < 0.6:
        number = number[:-1] + luhn.calc_check_digit(number[:-1])
    return number


def _iban(draw: random.Random) -> str:
    country, length = draw.choice((("DE", 18), ("ES", 20), ("FR", 23), ("PL", 24), ("AT", 16)))
    body = _digits(length)(draw)
    if draw.random() < 0.1:
        return f"{country}{draw.randint(10, 98)}{body}"
    return f"{country}{iban.calc_check_digits(f'{country}00{body}')}{body}"


def _mac(draw: random.Random) -> str:
    return ":".join(f"{draw.randrange(256):02x}" for _ in range(6))


def _bic(draw: random.Random) -> str:
    letters = "".join(draw.choices(string.ascii_uppercase, k=4))
    return (
        letters
        + draw.choice(("DE", "FR", "GB", "US", "NL", "IT"))
        + draw.choice(("FF", "2L", "33XXX"))
    )


def _vin(draw: random.Random) -> str:
    signs = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    middle = "".join(draw.choices(signs, k=9))
    return draw.choice(("1HG", "WBA", "JTD", "VF3", "KNA")) + middle + _digits(5)(draw)


def _ssn(draw: random.Random) -> str:
    return f"{draw.randint(101, 665)}-{draw.randint(10, 99)}-{draw.randint(1000, 9999)}"


def _bare_ssn(draw: random.Random) -> str:
    return _ssn(draw).replace("-", "")


def _masked(form: str) -> Draw:
    return lambda d: "".join(
        d.choice(string.digits) if c == "#" else d.choice(string.ascii_uppercase) if c == "@" else c
        for c in form
    )


def _plain_password(draw: random.Random) -> str:
    word = draw.choice(("Sunny", "tiger", "Kaffee", "p4ss", "winter", "dragon", "secret", "Lyon"))
    return word + str(draw.randint(1, 9999)) + draw.choice(("", "!", "#", "xY", "$"))


def _bcrypt(draw: random.Random) -> str:
    return "$2b$12$" + "".join(draw.choices(string.ascii_letters + string.digits + "./", k=53))


def _hex(length: int) -> Draw:
    return lambda d: d.randbytes(length // 2).hex()


def _stamp(draw: random.Random) -> str:
    moment = datetime(2016, 1, 1, tzinfo=UTC) + timedelta(seconds=draw.randrange(3 * 10**8))
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _day(draw: random.Random) -> str:
    return str(date(2012, 1, 1) + timedelta(days=draw.randrange(5000)))


def _title(draw: random.Random) -> str:
    return " ".join(draw.choices(_COMMON, k=draw.randint(1, 3))).title()


_BORNE = [w for w, f in lexicon().items() if "g" in f and w.isascii() and w.isalpha()]
_COMMON = [
    w for w, f in lexicon().items() if f == "w" and w.isascii() and w.isalpha() and len(w) > 3
]


def _pair(draw: random.Random) -> str:
    return draw.choice(("ST", "SC", "AA", "BB", "MA", "PR", "GE", "CO", "AB", "IN", "BR", "TR"))


def _proper(draw: random.Random) -> str:
    word = draw.choice(_COMMON).title()
    return draw.choice(("Santa {}", "{} Hall", "{} Star", "Lady {}", "{}", "North {}")).format(word)


def _borrowed(draw: random.Random) -> str:
    """Return the name of a thing that people bear too."""
    return draw.choice(("{}", "{}", "{} 2", "Santa {}", "{} Star")).format(
        draw.choice(_BORNE).title()
    )


def _version(draw: random.Random) -> str:
    return f"{draw.randint(0, 12)}.{draw.randint(0, 20)}.{draw.randint(0, 9)}.{draw.randint(0, 60)}"


def _slug(draw: random.Random) -> str:
    return "-".join(draw.choices(_COMMON, k=draw.randint(1, 3)))


def _checked(length: int, prefix: str = "") -> Draw:
    def value(draw: random.Random) -> str:
        body = prefix + _digits(length - 1 - len(prefix))(draw)
        return body + luhn.calc_check_digit(body)

    return value


_NUMBERED = (
    "order number, invoice id, tracking number, ticket id, serial no, reference, shipment, sku, "
    "transaction id, parcel, document no, asset tag, job number, waybill, policy ref, device id"
)
_PLAIN: tuple[tuple[str, Draw], ...] = (
    *(
        (_NUMBERED, _masked(form))
        for form in (
            *("###-##-####", "###-###-####", "##########", "(###) ####", "@@#############"),
            *("@@@@##########", "@#######", "@@######", "@##-####-####", "##-#######"),
            *("####-####-####-####", "################", "@@##@@@@##########", "########@"),
            *("#@@@@##@###@#####", "###.###.###-##", "######-####", "@@@@@#########@@@"),
        )
    ),
    ("type, class, unit, grade, group code, category, level, division", _pair),
    ("currency, ccy, currency code", lambda d: d.choice(("USD", "EUR", "GBP", "JPY", "CHF"))),
    ("unit, uom, measure", lambda d: d.choice(("kg", "cm", "ml", "km", "lb", "pc", "mg"))),
    ("vessel, ship, room, ward, building, hall, machine, robot, project", _proper),
    *(
        (
            "vessel name, ship name, model, brand, colour name, storm name, pet name, horse, boat, "
            "product line, theme, variety, station name, product, shade, series, make, perfume, "
            "collection, font, team, stadium, code name, release name, album, song",
            _borrowed,
        ),
    )
    * 4,
    *(
        (
            "order number, invoice no, tracking number, ticket id, serial no, reference, "
            "batch, lot number, "
            "transaction id, parcel number, document no, article number, sku, external ref, "
            "case number, "
            "meter number, booking code, delivery note, item code, contract number",
            _ANY_NUMBER,
        ),
    )
    * 8,
    (
        "id, request id, trace id, customer uuid, guid, row key",
        lambda d: str(uuid.UUID(int=d.getrandbits(128))),
    ),
    ("imei, device imei, serial, terminal", _checked(15, "35")),
    ("ean, barcode, gtin, isbn, product code", _checked(13, "978")),
    ("created, updated, ts, event time, last seen", lambda d: str(d.randrange(10**9, 2 * 10**9))),
    ("created ms, epoch, timestamp, received", lambda d: str(d.randrange(10**12, 2 * 10**12))),
    ("order date, created at, hire date, expiry date, valid until, release date, due date", _day),
    ("last login, updated at, shipped at, timestamp", _stamp),
    ("version, firmware version, app version, build, release", _version),
    (
        "oid, object identifier",
        lambda d: f"1.3.6.1.{d.randint(1, 9)}.{d.randint(1, 999)}.{d.randint(1, 99)}",
    ),
    ("price, amount, unit price, tax rate, weight", lambda d: f"{d.uniform(1, 900):.2f}"),
    ("ratio, score, probability, value", lambda d: f"{d.random():.10f}"),
    ("name, title, product name, category, genre, label", _title),
    ("name, plan name, playlist, topic", _title),
    ("slug, key, handle path, code name", _slug),
    ("checksum, etag, file hash, commit", _hex(40)),
    ("color, colour, hex", lambda d: "#" + d.randbytes(3).hex()),
    ("part number, model, code, sku", lambda d: f"{_coded(3)(d)}-{_digits(5)(d)}"),
    ("status, state, stage", lambda d: d.choice(("active", "pending", "closed", "failed"))),
    ("quantity, stock, points, visits, age days", lambda d: str(d.randint(1, 900))),
)
