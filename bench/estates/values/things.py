"""Names that are not people's: products, genres, ships, teams, storms, machines."""

from functools import cache
from pathlib import Path
from random import Random

import yaml

from bench.estates.values.maker import Row, maker

WORDS = Path(__file__).with_name("things.yaml")


@cache
def words() -> dict[str, list[str]]:
    """Lists of names by what they name."""
    lists: dict[str, str] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return {name: [word.strip() for word in text.split(",")] for name, text in lists.items()}


@maker("thing", trap="names of things, not of people")
def thing(row: Row, random: Random, argument: str) -> str:
    """A name from the list given."""
    return random.choice(words()[argument])


@maker("label")
def label(row: Row, random: Random, argument: str) -> str:
    """A name from the list given, in a column nobody takes for a person's."""
    return random.choice(words()[argument])


@maker("product", trap="product name")
def product(row: Row, random: Random, argument: str) -> str:
    lists = words()
    first, second = random.choice(lists["product_a"]), random.choice(lists["product_b"])
    return f"{first} {second} {random.randrange(1, 900)}"


@maker("file", trap="file name")
def file(row: Row, random: Random, argument: str) -> str:
    stem = random.choice(words()["files"])
    return f"{stem}_{random.randrange(1, 99):02d}.{random.choice(('pdf', 'jpg', 'docx', 'csv'))}"
