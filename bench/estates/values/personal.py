"""Names, addresses, phones, mail and what else one tells about oneself."""

from random import Random

from bench.estates.locale import locale
from bench.estates.patterns import fill
from bench.estates.people import Place, draw_person
from bench.estates.values.maker import Row, maker


@maker("first_name", "PERSON_NAME")
def first_name(row: Row, random: Random, argument: str) -> str:
    return row.person.given


@maker("middle_name", "PERSON_NAME")
def middle_name(row: Row, random: Random, argument: str) -> str:
    return row.person.middle


@maker("last_name", "PERSON_NAME")
def last_name(row: Row, random: Random, argument: str) -> str:
    return row.person.family


@maker("maiden_name", "PERSON_NAME")
def maiden_name(row: Row, random: Random, argument: str) -> str:
    return row.person.maiden


@maker("full_name", "PERSON_NAME")
def full_name(row: Row, random: Random, argument: str) -> str:
    return row.person.full


@maker("last_first", "PERSON_NAME")
def last_first(row: Row, random: Random, argument: str) -> str:
    return f"{row.person.family}, {row.person.given}"


@maker("initial_name", "PERSON_NAME")
def initial_name(row: Row, random: Random, argument: str) -> str:
    return f"{row.person.given[:1]}. {row.person.family}"


@maker("titled_name", "PERSON_NAME")
def titled_name(row: Row, random: Random, argument: str) -> str:
    return f"{random.choice(argument.split('|'))} {row.person.full}"


@maker("latin_name", "PERSON_NAME")
def latin_name(row: Row, random: Random, argument: str) -> str:
    return f"{row.person.given_latin} {row.person.family_latin}".title()


@maker("initials", tolerate="PERSON_NAME", trap="initials only")
def initials(row: Row, random: Random, argument: str) -> str:
    return "".join(name[:1] for name in (row.person.given, row.person.middle, row.person.family))


@maker("other_name", "PERSON_NAME")
def other_name(row: Row, random: Random, argument: str) -> str:
    return row.other.full


@maker("other_first", "PERSON_NAME")
def other_first(row: Row, random: Random, argument: str) -> str:
    return row.other.given


@maker("other_last", "PERSON_NAME")
def other_last(row: Row, random: Random, argument: str) -> str:
    return row.other.family


@maker("few_names", "PERSON_NAME")
def few_names(row: Row, random: Random, argument: str) -> str:
    """A handful of people who recur, such as account managers."""
    few = Random(f"{row.locale.name}/{row.count}")
    people = [draw_person(row.locale, few).full for _ in range(int(argument or 5))]
    return random.choice(people)


@maker("email", "EMAIL")
def email(row: Row, random: Random, argument: str) -> str:
    """The person's address, or one at the host given."""
    return row.person.email.split("@")[0] + "@" + argument if argument else row.person.email


@maker("other_email", "EMAIL")
def other_email(row: Row, random: Random, argument: str) -> str:
    return row.other.email


@maker("username", "USERNAME")
def username(row: Row, random: Random, argument: str) -> str:
    return row.person.handle


@maker("handle", "USERNAME")
def handle(row: Row, random: Random, argument: str) -> str:
    return f"@{row.person.handle}"


NICKS_A = ("dark", "pixel", "moss", "turbo", "lazy", "neon", "salty", "iron", "mango", "lunar")
NICKS_B = ("fox", "wizard", "beard", "otter", "spoon", "comet", "biker", "ghost", "panda", "raven")


@maker("nick", "USERNAME")
def nick(row: Row, random: Random, argument: str) -> str:
    return f"{random.choice(NICKS_A)}_{random.choice(NICKS_B)}{random.randrange(1, 999)}"


@maker("phone", "PHONE")
def phone(row: Row, random: Random, argument: str) -> str:
    """A number in any of the shapes written in the locale, or in the one named."""
    words = locale(argument) if argument else row.locale
    return fill(random.choice((*words.phones, *words.mobiles)), random)


@maker("mobile", "PHONE")
def mobile(row: Row, random: Random, argument: str) -> str:
    return fill(random.choice(row.locale.mobiles), random)


@maker("one_phone_shape", "PHONE")
def one_phone_shape(row: Row, random: Random, argument: str) -> str:
    """Always the locale's first shape, as a form with a mask writes it."""
    return fill(row.locale.phones[0], random)


@maker("phone_digits", "PHONE")
def phone_digits(row: Row, random: Random, argument: str) -> str:
    return "".join(c for c in phone(row, random, argument) if c.isdigit())


@maker("phone_ext", "PHONE")
def phone_ext(row: Row, random: Random, argument: str) -> str:
    extension = random.choice(("ext. ", "x", " ext ", "#"))
    return f"{fill(row.locale.phones[0], random)} {extension}{random.randrange(100, 9999)}"


@maker("any_phone", "PHONE")
def any_phone(row: Row, random: Random, argument: str) -> str:
    """Numbers of many countries, as a company that sells everywhere has them."""
    names = ("de_DE", "fr_FR", "en_GB", "en_US", "it_IT", "es_ES", "pl_PL", "sv_SE", "tr_TR")
    return phone(row, random, random.choice(names))


@maker("street", "ADDRESS")
def street(row: Row, random: Random, argument: str) -> str:
    return _written(row.locale.line, row.place, random)


@maker("street_name", "ADDRESS")
def street_name(row: Row, random: Random, argument: str) -> str:
    return row.place.street


@maker("address", "ADDRESS", tolerate="CITY REGION COUNTRY POSTAL_CODE")
def address(row: Row, random: Random, argument: str) -> str:
    """Street, town and postcode in one cell."""
    return _written(row.locale.address, row.place, random)


def _written(shapes: tuple[str, ...], place: Place, random: Random) -> str:
    return random.choice(shapes).format(
        street=place.street,
        n=place.number,
        city=place.city,
        zip=place.postcode,
        region=place.region,
        code=place.region_code,
    )


@maker("unit", "ADDRESS", tolerate="NONE")
def unit(row: Row, random: Random, argument: str) -> str:
    """A second address line, mostly empty."""
    return fill(random.choice(row.locale.unit), random) if random.random() < 0.6 else ""


@maker("house_number", tolerate="ADDRESS", trap="bare house number")
def house_number(row: Row, random: Random, argument: str) -> str:
    return row.place.number


@maker("postcode", "POSTAL_CODE")
def postcode(row: Row, random: Random, argument: str) -> str:
    return row.place.postcode


@maker("city", "CITY")
def city(row: Row, random: Random, argument: str) -> str:
    return row.place.city


@maker("region", "REGION")
def region(row: Row, random: Random, argument: str) -> str:
    return row.place.region


@maker("region_code", "REGION")
def region_code(row: Row, random: Random, argument: str) -> str:
    return row.place.region_code


@maker("country", "COUNTRY")
def country(row: Row, random: Random, argument: str) -> str:
    """Mostly the locale's own country; always another with the argument `any`."""
    if argument != "any" and random.random() < 0.7:
        return row.locale.country
    return random.choice(row.locale.countries)


@maker("country2", "COUNTRY")
def country2(row: Row, random: Random, argument: str) -> str:
    codes = "FR IT NL BE AT CH ES PT PL CZ DK SE NO FI IE GB US CA MX BR AR IN JP CN KR AU ZA TR"
    return random.choice(codes.split()) if random.random() < 0.6 else row.locale.code


@maker("country3", "COUNTRY")
def country3(row: Row, random: Random, argument: str) -> str:
    codes = "FRA ITA NLD BEL AUT CHE ESP PRT POL CZE DNK SWE NOR FIN IRL GBR USA CAN MEX BRA IND"
    return random.choice(codes.split()) if random.random() < 0.6 else row.locale.code3


@maker("latitude", "GEO_COORD")
def latitude(row: Row, random: Random, argument: str) -> str:
    return f"{row.place.latitude:.{int(argument or 5)}f}"


@maker("longitude", "GEO_COORD")
def longitude(row: Row, random: Random, argument: str) -> str:
    return f"{row.place.longitude:.{int(argument or 5)}f}"


@maker("latlon", "GEO_COORD")
def latlon(row: Row, random: Random, argument: str) -> str:
    return f"{row.place.latitude:.6f}, {row.place.longitude:.6f}"


@maker("wkt_point", "GEO_COORD")
def wkt_point(row: Row, random: Random, argument: str) -> str:
    return f"POINT ({row.place.longitude:.5f} {row.place.latitude:.5f})"


@maker("gender", "GENDER")
def gender(row: Row, random: Random, argument: str) -> str:
    """`female|male[|other]` as given, or the locale's first pair."""
    words = (argument or row.locale.gender[0]).split("|")
    if len(words) > 2 and random.random() < 0.04:
        return random.choice(words[2:])
    return words[0 if row.person.female else 1]


@maker("age", "AGE")
def age(row: Row, random: Random, argument: str) -> str:
    return str(row.person.age)


@maker("marital", "MARITAL_STATUS")
def marital(row: Row, random: Random, argument: str) -> str:
    return random.choice(argument.split("|") if argument else row.locale.marital)


@maker("ethnicity", "ETHNICITY")
def ethnicity(row: Row, random: Random, argument: str) -> str:
    return random.choice(argument.split("|"))


@maker("language", "LANGUAGE")
def language(row: Row, random: Random, argument: str) -> str:
    return random.choice(row.locale.languages)


@maker("occupation", "OCCUPATION")
def occupation(row: Row, random: Random, argument: str) -> str:
    return random.choice(row.locale.jobs)


@maker("organization", "ORGANIZATION")
def organization(row: Row, random: Random, argument: str) -> str:
    return f"{random.choice(row.locale.org_a)} {random.choice(row.locale.org_b)}"


@maker("diagnosis", "MEDICAL")
def diagnosis(row: Row, random: Random, argument: str) -> str:
    return random.choice(row.locale.diagnoses)


@maker("blood_type", "MEDICAL")
def blood_type(row: Row, random: Random, argument: str) -> str:
    return random.choice(("0+", "A+", "B+", "AB+", "0-", "A-") if argument else ("O+", "A+", "B-"))


@maker("salutation", trap="salutation")
def salutation(row: Row, random: Random, argument: str) -> str:
    words = argument.split("|")
    return words[0 if row.person.female else 1]
