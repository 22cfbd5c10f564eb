"""Keys and numbers that share a shape with something sensitive and are not."""

import hashlib
import uuid
from importlib import import_module
from random import Random

from bench.estates.patterns import fill
from bench.estates.values.maker import Row, maker


@maker("uuid", trap="UUID")
def uuid_text(row: Row, random: Random, argument: str) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


@maker("uuid_bare", trap="UUID without dashes, 32 hex digits")
def uuid_bare(row: Row, random: Random, argument: str) -> str:
    return uuid.UUID(int=random.getrandbits(128), version=4).hex


@maker("digits", trap="key of as many digits as a sensitive number")
def digits(row: Row, random: Random, argument: str) -> str:
    """A number of the length given that does not begin with zero."""
    return fill("%" + "#" * (int(argument) - 1), random)


@maker("near", trap="consecutive keys as long as a sensitive number")
def near(row: Row, random: Random, argument: str) -> str:
    """Numbers that follow each other, from the one given, in steps of a few."""
    return str(int(argument) + row.index * 7 + random.randrange(7))


def valid(module: str, pattern: str, random: Random) -> str:
    """A number of the pattern that keeps the rules of a module of python-stdnum."""
    is_valid = import_module(f"stdnum.{module}").is_valid
    while not is_valid(number := fill(pattern, random)):
        pass
    return number


CHECKED = {
    "imei": ("imei", "35#############", "device number, passes Luhn like a card"),
    "ean13": ("ean", "40###########", "article number of thirteen digits"),
    "ean8": ("ean", "########", "article number of eight digits"),
    "upc": ("ean", "0###########", "article number of twelve digits"),
    "isbn13": ("isbn", "978##########", "book number of thirteen digits"),
    "isbn10": ("isbn", "3#########", "book number of ten digits, as long as a phone number"),
    "issn": ("issn", "####-####", "serial number of a journal"),
    "isin": ("isin", "US##########", "security number"),
    "lei": ("lei", "5299$$$$$$$$$$$$$$##", "legal entity identifier"),
    "iccid": ("luhn", "8949###############", "SIM number, passes Luhn like a card"),
    "ship_imo": ("imo", "9######", "ship number"),
    "siret": ("fr.siret", "4#############", "establishment of a company, no person"),
    "siren": ("fr.siren", "4########", "company number, no person"),
    "vat_de": ("de.vat", "DE%########", "tax number of a company"),
    "nip": ("pl.nip", "%#########", "tax number of a company"),
    "cnpj": ("br.cnpj", "%#######0001##", "tax number of a company"),
    "orgnr": ("se.orgnr", "556###-####", "company number, no person"),
    "abn": ("au.abn", "%##########", "business number"),
    "gstin": ("in_.gstin", "27^^^C^####^1Z$", "tax number of a company"),
    "cusip": ("cusip", "%########", "security number of nine digits"),
    "routing_aba": ("us.rtn", "0########", "number of a bank, not of a person"),
}
"""Keys with a check digit: the module that checks them, their shape, why they mislead."""

TOLERATED = {"routing_aba": "BANK_ACCOUNT", "vat_de": "NATIONAL_ID", "nip": "NATIONAL_ID"}


def _register(name: str, module: str, pattern: str, trap: str) -> None:
    @maker(name, trap=trap, tolerate=TOLERATED.get(name, ""))
    def checked(row: Row, random: Random, argument: str) -> str:
        return valid(module, pattern, random)


for _name, (_module, _pattern, _trap) in CHECKED.items():
    _register(_name, _module, _pattern, _trap)


@maker("npi", trap="register number of a practice, ten digits like a phone number")
def npi(row: Row, random: Random, argument: str) -> str:
    """The last ten digits of a Luhn number that begins with 80840 (45 CFR 162.406)."""
    return valid("luhn", "808401#########", random)[5:]


@maker("sha256", trap="digest of a file")
def sha256(row: Row, random: Random, argument: str) -> str:
    return hashlib.sha256(random.randbytes(16)).hexdigest()


@maker("md5", trap="digest of a file")
def md5(row: Row, random: Random, argument: str) -> str:
    return hashlib.md5(random.randbytes(16), usedforsecurity=False).hexdigest()


@maker("commit", trap="short digest, sometimes digits only")
def commit(row: Row, random: Random, argument: str) -> str:
    return fill(">>>>>>>", random)


@maker("tracking", trap="parcel number")
def tracking(row: Row, random: Random, argument: str) -> str:
    shapes = ("1Z$$$$$$##########", "00340434##########", "##############", "^^#########DE")
    return fill(random.choice(shapes) if not argument else argument, random)


@maker("geohash", trap="cell of a grid")
def geohash(row: Row, random: Random, argument: str) -> str:
    return "u3" + "".join(random.choices("0123456789bcdefghjkmnpqrstuvwxyz", k=5))


@maker("float", trap="long decimal in which a number of phone length hides")
def long_float(row: Row, random: Random, argument: str) -> str:
    return repr(random.uniform(0, float(argument or 1)))


@maker("mongo_id", trap="document key of 24 hex digits")
def mongo_id(row: Row, random: Random, argument: str) -> str:
    return "66" + fill(">>>>>>>>>>>>>>>>>>>>>>", random)


@maker("snowflake", trap="key of 18 digits")
def snowflake(row: Row, random: Random, argument: str) -> str:
    return str((1 << 60) + random.getrandbits(58))


@maker("sf_id", trap="key of a customer relations system")
def sf_id(row: Row, random: Random, argument: str) -> str:
    return f"{argument or '003'}5g00000{fill('$$<$$<$$', random)}"
