"""Numbers and papers by which states know people; checksums hold where one is defined."""

from importlib import import_module
from random import Random

from bench.estates.patterns import fill
from bench.estates.people import Person
from bench.estates.values.maker import Row, maker

NATIONAL_IDS = {
    "AR": ("ar.cuit", "2#{sex01}########"),
    "AT": ("at.vnr", "%###{dmy}"),
    "AU": ("au.tfn", "%########"),
    "BE": ("be.nn", "{ymd}#####"),
    "BG": ("bg.egn", "{ymd}####"),
    "BR": ("br.cpf", "###########"),
    "CA": ("ca.sin", "%########"),
    "CH": ("ch.ssn", "756##########"),
    "CL": ("cl.rut", "1#######-#"),
    "CN": ("cn.ric", "{cnplace}{Ymd}####"),
    "CZ": ("cz.rc", "{czymd}/####"),
    "DE": ("de.idnr", "%##########"),
    "DK": ("dk.cpr", "{dmy}-####"),
    "DO": ("do.cedula", "00#########"),
    "EC": ("ec.ci", "1#########"),
    "EE": ("ee.ik", "{sex34}{ymd}####"),
    "ES": ("es.dni", "########^"),
    "ES-X": ("es.nie", "X#######^"),
    "FI": ("fi.hetu", "{dmy}-###$"),
    "FR": ("fr.nir", "{sex12}{ym}3#########"),
    "GB": ("gb.nhs", "4#########"),
    "GR": ("gr.amka", "{dmy}#####"),
    "HR": ("hr.oib", "###########"),
    "IE": ("ie.pps", "#######^"),
    "IL": ("il.idnr", "#########"),
    "IN": ("in_.aadhaar", "5###########"),
    "IN-PAN": ("in_.pan", "^^^P^####^"),
    "IS": ("is_.kennitala", "{dmy}-##%9"),
    "IT": ("it.codicefiscale", "{it6}{ityear}{itmonth}{itday}{itplace}^"),
    "JP": ("jp.in_", "############"),
    "KR": ("kr.rrn", "{ymd}-{sex12}######"),
    "LT": ("lt.asmens", "{sex34}{ymd}####"),
    "MX": ("mx.curp", "{mx4}{ymd}{mxsex}{mxstate}{mx3}##"),
    "MY": ("my.nric", "{ymd}-1#-####"),
    "NL": ("nl.bsn", "#########"),
    "NO": ("no.fodselsnummer", "{dmy}#####"),
    "PL": ("pl.pesel", "{ymd}#####"),
    "PT": ("pt.nif", "2########"),
    "RO": ("ro.cnp", "{sex12}{ymd}4#####"),
    "SE": ("se.personnummer", "{ymd}-####"),
    "TH": ("th.pin", "1############"),
    "TR": ("tr.tckimlik", "%##########"),
    "ZA": ("za.idnr", "{ymd}{zasex}###08#"),
}
"""Per state, the module of python-stdnum whose rules the number keeps, and its shape."""


def national_number(state: str, person: Person, random: Random) -> str:
    """A number of the state's shape that keeps its rules, about the person."""
    module, shape = NATIONAL_IDS[state]
    valid = import_module(f"stdnum.{module}").is_valid
    while True:
        # Some facts admit no number (four letters that spell a barred word): draw them anew.
        pattern = shape.format(**_facts(person, random))
        for _ in range(1000):
            if valid(number := fill(pattern, random)):
                return number


def _facts(person: Person, random: Random) -> dict[str, str]:
    born, female = person.born, person.female
    consonants = "BCDFGLMNPRSTVZ"
    return {
        "ymd": f"{born:%y%m%d}",
        "Ymd": f"{born:%Y%m%d}",
        "dmy": f"{born:%d%m%y}",
        "ym": f"{born:%y%m}",
        "czymd": f"{born:%y}{born.month + 50 * female:02d}{born:%d}",
        "sex01": "7" if female else "0",
        "sex12": "2" if female else "1",
        "sex34": "4" if female else "3",
        "zasex": random.choice("01234" if female else "56789"),
        "cnplace": random.choice(("110105", "310101", "440106", "610102", "330106", "420111")),
        "it6": "".join(random.choices(consonants, k=6)),
        "ityear": f"{born:%y}",
        "itmonth": "ABCDEHLMPRST"[born.month - 1],
        "itday": f"{born.day + 40 * female:02d}",
        "itplace": random.choice(("H501", "F205", "L219", "A944", "F839", "G273")),
        "mx4": random.choice("GLMRHSC")
        + random.choice("AEO")
        + "".join(random.choices("GRTLMS", k=2)),
        "mxsex": "M" if female else "H",
        "mxstate": random.choice(("DF", "JC", "NL", "PL", "VZ", "OC", "YN")),
        "mx3": "".join(random.choices("BCDFGRTLMS", k=3)),
    }


@maker("national_id", "NATIONAL_ID", tolerate="SSN")
def national_id(row: Row, random: Random, argument: str) -> str:
    """Of the locale's state, or of those given by code, separated by commas."""
    return national_number(
        random.choice((argument or row.locale.code).split(",")), row.person, random
    )


@maker("national_id_digits", "NATIONAL_ID", tolerate="SSN")
def national_id_digits(row: Row, random: Random, argument: str) -> str:
    """The same without the punctuation."""
    return "".join(c for c in national_id(row, random, argument) if c.isalnum())


@maker("cpf_dotted", "NATIONAL_ID", tolerate="SSN")
def cpf_dotted(row: Row, random: Random, argument: str) -> str:
    n = national_number("BR", row.person, random)
    return f"{n[:3]}.{n[3:6]}.{n[6:9]}-{n[9:]}"


@maker("nir_spaced", "NATIONAL_ID", tolerate="SSN")
def nir_spaced(row: Row, random: Random, argument: str) -> str:
    n = national_number("FR", row.person, random)
    return " ".join((n[0], n[1:3], n[3:5], n[5:7], n[7:10], n[10:13], n[13:]))


@maker("aadhaar_spaced", "NATIONAL_ID", tolerate="SSN")
def aadhaar_spaced(row: Row, random: Random, argument: str) -> str:
    n = national_number("IN", row.person, random)
    return f"{n[:4]} {n[4:8]} {n[8:]}"


@maker("nhs_spaced", "NATIONAL_ID", tolerate="MEDICAL PHONE")
def nhs_spaced(row: Row, random: Random, argument: str) -> str:
    n = national_number("GB", row.person, random)
    return f"{n[:3]} {n[3:6]} {n[6:]}"


@maker("personnummer12", "NATIONAL_ID", tolerate="SSN DATE_OF_BIRTH")
def personnummer12(row: Row, random: Random, argument: str) -> str:
    """With the century, as Swedish authorities write it."""
    number = national_number("SE", row.person, random)
    return f"{row.person.born:%Y}{number[2:]}"


NINO_PREFIXES = ("AB", "CE", "HJ", "JK", "LM", "NP", "PW", "SR", "TY", "WM", "YZ")


@maker("nino", "NATIONAL_ID", tolerate="SSN")
def nino(row: Row, random: Random, argument: str) -> str:
    """A British National Insurance number (HMRC NIM39110)."""
    digits = fill("## ## ##" if argument else "######", random)
    joiner = " " if argument else ""
    return joiner.join((random.choice(NINO_PREFIXES), digits, random.choice("ABCD")))


@maker("ssn", "SSN", tolerate="NATIONAL_ID")
def ssn(row: Row, random: Random, argument: str) -> str:
    """Area 001–665 or 667–899, no group or serial of zeros (SSA randomisation, 2011)."""
    area = random.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03d}-{random.randrange(1, 100):02d}-{random.randrange(1, 10_000):04d}"


@maker("ssn_digits", "SSN", tolerate="NATIONAL_ID")
def ssn_digits(row: Row, random: Random, argument: str) -> str:
    return ssn(row, random, argument).replace("-", "")


PASSPORTS = {
    "US": "#########|^########", "GB": "#########", "DE": "C0%X#0T##|C%F#H##K#", "FR": "##^^#####",
    "ES": "^^^######", "IT": "Y^#######", "NL": "N^#R###%#", "BR": "F^######", "SE": "########",
    "PL": "E^#######", "TR": "U########", "JP": "T^#######", "CN": "E########", "IN": "^#######",
    "KR": "M########", "MX": "G########", "AU": "P^#######", "CA": "^^######", "IE": "P^#######",
}  # fmt: skip


@maker("passport", "PASSPORT", tolerate="NATIONAL_ID DRIVER_LICENSE")
def passport(row: Row, random: Random, argument: str) -> str:
    """A passport number of the locale's state, of those given, or of any."""
    states = list(PASSPORTS) if argument == "any" else (argument or row.locale.code).split(",")
    return fill(random.choice(PASSPORTS[random.choice(states)].split("|")), random)


LICENCES = {
    "US": "^#######|^###-####-####|########|^############|###-##-####", "FR": "##07########",
    "DE": "B0%2$$$##$%", "ES": "########^", "IT": "U1#^#####^|MI#######^", "NL": "5#########",
    "BR": "0##########", "SE": "######-####", "PL": "#####/##/####", "TR": "######",
    "JP": "30##########", "CN": "11010519##########", "IN": "MH12 20########|DL-042011#######",
    "KR": "11-##-######-##", "MX": "^#########", "AU": "########", "CA": "^####-#####-#####",
}  # fmt: skip


@maker("licence", "DRIVER_LICENSE", tolerate="NATIONAL_ID PASSPORT SSN")
def licence(row: Row, random: Random, argument: str) -> str:
    """A driver's licence number of the locale's state or of the one given."""
    state = argument or row.locale.code
    if state == "GB":
        return _dvla(row.person, random)
    return fill(random.choice(LICENCES[state].split("|")), random)


def _dvla(person: Person, random: Random) -> str:
    """Surname, birth and initials in sixteen characters (DVLA INF40/1)."""
    surname = "".join(c for c in person.locale.ascii(person.family).upper() if c.isalpha())
    born = person.born
    month = born.month + 50 * person.female
    body = f"{surname[:5]:9<5}{born.year % 100 // 10}{month:02d}{born:%d}{born.year % 10}"
    return f"{body}{person.given[:1]}{random.choice('9ABDJM')}{fill('9^^', random)}"


VIN_LETTERS = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True))
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin_check(number: str) -> str:
    """The ninth character a VIN must have (49 CFR 565.15(c))."""
    values = [int(VIN_LETTERS.get(c, c)) for c in number]
    rest = sum(w * v for w, v in zip(VIN_WEIGHTS, values, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


@maker("vin", "VIN")
def vin(row: Row, random: Random, argument: str) -> str:
    """American: the check character holds."""
    maker_code = random.choice(("1HG", "1FT", "5YJ", "2T1", "3VW", "JTD", "KMH", "1G1"))
    alphabet = "".join(VIN_LETTERS) + "0123456789"
    middle = "".join(random.choices(alphabet, k=5))
    number = f"{maker_code}{middle}0{random.choice('KLMNPRST')}{fill('^######', random)}"
    number = number.translate(str.maketrans("IOQ", "ABC"))
    return number[:8] + vin_check(number) + number[9:]


@maker("vin_eu", "VIN")
def vin_eu(row: Row, random: Random, argument: str) -> str:
    """European: the ninth character is a filler and checks nothing."""
    start = random.choice(("WVWZZZ1KZ", "WBA8E9100", "VF1RFB00", "ZFA31200", "TMBZZZ5E", "YV1DZ8"))
    body = start + random.choice("ABCDEFGHJ")
    return body + fill("#" * (17 - len(body)), random)


@maker("plate", tolerate="DRIVER_LICENSE", trap="number plate")
def plate(row: Row, random: Random, argument: str) -> str:
    return fill(random.choice(argument.split("|")), random)


@maker("visa_number", tolerate="PASSPORT NATIONAL_ID DRIVER_LICENSE", trap="visa number")
def visa_number(row: Row, random: Random, argument: str) -> str:
    return fill("^########", random)
