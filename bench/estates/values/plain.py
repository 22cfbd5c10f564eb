"""Keys, numbers, words and statuses: what most columns of a database hold."""

from random import Random

from bench.estates.patterns import fill
from bench.estates.values.maker import Row, maker


@maker("serial")
def serial(row: Row, random: Random, argument: str) -> str:
    """1, 2, 3 …, or from the number given."""
    return str(int(argument or 1) + row.index)


@maker("int")
def integer(row: Row, random: Random, argument: str) -> str:
    low, high = (int(bound) for bound in argument.split())
    return str(random.randint(low, high))


@maker("dec")
def decimal(row: Row, random: Random, argument: str) -> str:
    low, high, places = argument.split()
    return f"{random.uniform(float(low), float(high)):.{places}f}"


@maker("code")
def code(row: Row, random: Random, argument: str) -> str:
    """A shape of `patterns.fill`; several may be given, separated by `|`."""
    return fill(random.choice(argument.split("|")), random)


@maker("pick")
def pick(row: Row, random: Random, argument: str) -> str:
    return random.choice(argument.split("|"))


@maker("flag")
def flag(row: Row, random: Random, argument: str) -> str:
    words = (argument or "0|1").split("|")
    return words[random.random() < 0.7]


@maker("rank")
def rank(row: Row, random: Random, argument: str) -> str:
    return str(random.choices(range(1, 6), (1, 2, 4, 8, 6))[0])


@maker("text", tolerate="PERSON_NAME ADDRESS")
def text(row: Row, random: Random, argument: str) -> str:
    return " ".join(random.sample(row.locale.sentences, 2))


@maker("note_with_contact", tolerate="PERSON_NAME EMAIL PHONE ADDRESS")
def note_with_contact(row: Row, random: Random, argument: str) -> str:
    """Free text in which some cells name somebody's mail or phone."""
    sentence = random.choice(row.locale.sentences)
    shape = random.randrange(4)
    if shape == 0:
        return f"{sentence} {row.person.full}: {row.person.email}"
    if shape == 1:
        return f"{sentence} ({fill(row.locale.mobiles[0], random)})"
    return sentence


@maker("empty", ignore=True)
def empty(row: Row, random: Random, argument: str) -> str:
    return ""
