"""Values of real systems that borrow the form of something sensitive: eponyms, references, keys."""

import base64
import string
from random import Random

from bench.estates.patterns import fill
from bench.estates.values.lookalikes import valid
from bench.estates.values.maker import Row, maker

_ALPHABET = string.digits + string.ascii_uppercase


@maker("named_after", trap="things named after people or places")
def named_after(row: Row, random: Random, argument: str) -> str:
    """One of the texts given, its `{given}`, `{family}`, `{other}` and `{city}` filled in."""
    text = random.choice(argument.split("|"))
    return text.format(
        given=row.person.given,
        family=row.person.family,
        other=row.other.family,
        city=row.place.city,
        number=random.randrange(1, 400),
    )


@maker("checked_by", trap="business number with a check digit")
def checked_by(row: Row, random: Random, argument: str) -> str:
    """A number of a pattern that a module of python-stdnum accepts: `module pattern`."""
    module, pattern = argument.split()
    return valid(module, pattern, random)


@maker("creditor_reference", trap="payment reference that begins like an IBAN")
def creditor_reference(row: Row, random: Random, argument: str) -> str:
    """A reference of ISO 11649: `RF`, two check digits (ISO 7064 MOD 97-10), the reference."""
    body = fill("%" + "#" * random.choice((11, 15, 19)), random)
    spelled = "".join(str(_ALPHABET.index(sign)) for sign in f"{body}RF00")
    return f"RF{98 - int(spelled) % 97:02d}{body}"


@maker("octets", trap="hexadecimal octets of another length than a MAC address")
def octets(row: Row, random: Random, argument: str) -> str:
    """So many octets with colons: `8` for a port of a storage network, `16` for a fingerprint."""
    return ":".join(f"{byte:02x}" for byte in random.randbytes(int(argument)))


@maker("dotted", trap="numbers with dots that are no network address")
def dotted(row: Row, random: Random, argument: str) -> str:
    """Numbers between dots, each below the bound given for its place."""
    return ".".join(str(random.randrange(int(bound) + 1)) for bound in argument.split())


@maker("at_sign", trap="an @ that makes no e-mail address")
def at_sign(row: Row, random: Random, argument: str) -> str:
    """One of the texts given, its `#` and `>` drawn, its `{handle}` filled in."""
    text = fill(random.choice(argument.split("|")), random)
    return text.replace("{handle}", row.person.handle)


@maker("random_text", trap="random text that nobody types")
def random_text(row: Row, random: Random, argument: str) -> str:
    """So many random bytes in base 64 for web addresses."""
    return base64.urlsafe_b64encode(random.randbytes(int(argument))).decode().rstrip("=")


@maker("walk", trap="measurements that wander from row to row")
def walk(row: Row, random: Random, argument: str) -> str:
    """A measurement around a centre: `centre spread places`."""
    centre, spread, places = argument.split()
    return f"{random.gauss(float(centre), float(spread)):.{places}f}"
