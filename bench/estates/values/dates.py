"""Dates of birth, and the many dates that are none."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from bench.estates.people import TODAY
from bench.estates.values.maker import Row, maker

FORMATS = {
    "iso": "%Y-%m-%d",
    "us": "%m/%d/%Y",
    "eu": "%d.%m.%Y",
    "uk": "%d/%m/%Y",
    "dash": "%d-%m-%Y",
    "compact": "%Y%m%d",
    "short": "%d/%m/%y",
    "text": "%d %b %Y",
    "long": "%B %d, %Y",
    "slash": "%Y/%m/%d",
    "cjk": "%Y年%m月%d日",
    "stamp": "%Y-%m-%d 00:00:00",
    "t": "%Y-%m-%dT00:00:00Z",
}


def _format(day: date, row: Row, random: Random, name: str) -> str:
    if name == "mixed":
        name = random.choice(("iso", "eu", "us", "text"))
    if name == "excel":
        return str((day - date(1899, 12, 30)).days)
    return day.strftime(FORMATS.get(name, row.locale.date))


@maker("dob", "DATE_OF_BIRTH")
def dob(row: Row, random: Random, argument: str) -> str:
    """The person's birthday in the locale's format or the one named."""
    return _format(row.person.born, row, random, argument)


@maker("child_dob", "DATE_OF_BIRTH")
def child_dob(row: Row, random: Random, argument: str) -> str:
    """A birthday of somebody between 3 and 19 years of age."""
    day = TODAY - timedelta(days=random.randrange(3 * 365, 19 * 365))
    return _format(day, row, random, argument)


@maker("birth_year", "DATE_OF_BIRTH", ignore=True)
def birth_year(row: Row, random: Random, argument: str) -> str:
    return str(row.person.born.year)


def _event(random: Random, years: int) -> date:
    return TODAY - timedelta(days=random.randrange(years * 365))


@maker("date", trap="date of an event, not of a birth")
def event_date(row: Row, random: Random, argument: str) -> str:
    return _format(_event(random, 4), row, random, argument)


@maker("old_date", trap="date of an event with the years of a birth")
def old_date(row: Row, random: Random, argument: str) -> str:
    """A day of the last sixty years: founding, building, publishing."""
    return _format(_event(random, 60), row, random, argument)


@maker("hire_date", trap="entry date, years like a birth's")
def hire_date(row: Row, random: Random, argument: str) -> str:
    day = row.person.born + timedelta(days=365 * random.randrange(17, 30) + random.randrange(365))
    return _format(min(day, TODAY), row, random, argument)


@maker("future_date", trap="expiry date")
def future_date(row: Row, random: Random, argument: str) -> str:
    return _format(TODAY + timedelta(days=random.randrange(1, 3000)), row, random, argument)


@maker("timestamp")
def timestamp(row: Row, random: Random, argument: str) -> str:
    clock = time(random.randrange(24), random.randrange(60), random.randrange(60))
    moment = datetime.combine(_event(random, 3), clock)
    shapes = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.000Z", "%d/%b/%Y:%H:%M:%S +0000")
    return moment.strftime(shapes[int(argument or 0)])


@maker("clock")
def clock(row: Row, random: Random, argument: str) -> str:
    return f"{random.randrange(24):02d}:{random.randrange(60):02d}"


@maker("epoch", trap="seconds since 1970, as long as a phone number")
def epoch(row: Row, random: Random, argument: str) -> str:
    return str(_seconds(random))


@maker("epoch_ms", trap="milliseconds since 1970, as long as a card number")
def epoch_ms(row: Row, random: Random, argument: str) -> str:
    return str(_seconds(random) * 1000 + random.randrange(1000))


@maker("epoch_us", trap="microseconds since 1970, sixteen digits like a card")
def epoch_us(row: Row, random: Random, argument: str) -> str:
    return str(_seconds(random) * 1_000_000 + random.randrange(1_000_000))


def _seconds(random: Random) -> int:
    midnight = datetime.combine(_event(random, 6), time(), tzinfo=UTC)
    return int(midnight.timestamp()) + random.randrange(86_400)


@maker("year")
def year(row: Row, random: Random, argument: str) -> str:
    return str(random.randrange(1960, 2026))


@maker("compact_time", trap="date and time written as fourteen digits")
def compact_time(row: Row, random: Random, argument: str) -> str:
    return f"{_event(random, 4):%Y%m%d}{random.randrange(24):02d}{random.randrange(6000):04d}"
