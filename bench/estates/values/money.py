"""Amounts, cards and bank accounts."""

from random import Random

from stdnum import iban as iban_rules
from stdnum import luhn
from stdnum.es import ccc

from bench.estates.patterns import fill
from bench.estates.values.maker import Row, maker

BRANDS = {
    "visa": ("4###############", 16),
    "mastercard": ("5%##############", 16),
    "amex": ("37#############", 15),
    "discover": ("6011############", 16),
    "jcb": ("353#############", 16),
    "diners": ("36############", 14),
    "unionpay": ("62##############", 16),
}
"""Issuer prefixes and lengths of ISO/IEC 7812 as the schemes publish them."""


@maker("salary", "FINANCIAL_AMOUNT")
def salary(row: Row, random: Random, argument: str) -> str:
    low, high = (int(bound) for bound in (argument or "1800 9500").split())
    return str(round(random.triangular(low, high, low + (high - low) / 4) / 10) * 10)


@maker("balance", "FINANCIAL_AMOUNT")
def balance(row: Row, random: Random, argument: str) -> str:
    amount = f"{random.lognormvariate(7, 1.4):.2f}"
    return amount.replace(".", row.locale.decimal)


@maker("money", "FINANCIAL_AMOUNT")
def money(row: Row, random: Random, argument: str) -> str:
    """An amount with the currency's sign or code given."""
    amount = f"{random.lognormvariate(5, 1.2):,.2f}"
    return argument.replace("0", amount) if argument else amount


@maker("price", tolerate="FINANCIAL_AMOUNT")
def price(row: Row, random: Random, argument: str) -> str:
    amount = f"{random.choice((0.99, 0.5, 0.0, 0.95)) + random.randrange(1, 400):.2f}"
    return amount.replace(".", row.locale.decimal)


@maker("percent")
def percent(row: Row, random: Random, argument: str) -> str:
    return f"{random.uniform(0, 100):.1f}%"


@maker("currency", trap="currency code, three letters like a country")
def currency(row: Row, random: Random, argument: str) -> str:
    others = "EUR USD GBP CHF SEK PLN TRY BRL JPY CNY INR KRW MXN".split()
    return row.locale.currency if random.random() < 0.5 else random.choice(others)


def card_number(random: Random, brands: str = "") -> str:
    """A number whose last digit satisfies Luhn (ISO/IEC 7812-1, annex B)."""
    names = brands.split(",") if brands else ["visa", "visa", "mastercard", "mastercard", "amex"]
    shape, _ = BRANDS[random.choice(names)]
    body = fill(shape[:-1], random)
    check: str = luhn.calc_check_digit(body)
    return body + check


@maker("card", "CREDIT_CARD")
def card(row: Row, random: Random, argument: str) -> str:
    return card_number(random, argument)


@maker("card_spaced", "CREDIT_CARD")
def card_spaced(row: Row, random: Random, argument: str) -> str:
    """Groups as printed on the card, joined by the argument or a blank."""
    return _grouped(card_number(random, "visa,mastercard,discover"), argument or " ")


@maker("card_sample", "CREDIT_CARD")
def card_sample(row: Row, random: Random, argument: str) -> str:
    """A sample generator's number: right prefix and length, no check digit."""
    shape, _ = BRANDS[random.choice(("visa", "mastercard", "visa", "amex"))]
    return fill(shape, random)


@maker("card_masked", "CREDIT_CARD", ignore=True)
def card_masked(row: Row, random: Random, argument: str) -> str:
    return "************" + card_number(random)[-4:]


@maker("last4", tolerate="CREDIT_CARD", trap="last four digits of a card")
def last4(row: Row, random: Random, argument: str) -> str:
    return fill("####", random)


@maker("cvv", trap="card verification value")
def cvv(row: Row, random: Random, argument: str) -> str:
    return fill("###", random)


@maker("card_expiry", trap="card expiry")
def card_expiry(row: Row, random: Random, argument: str) -> str:
    return f"{random.randrange(1, 13):02d}/{random.randrange(25, 32)}"


@maker("bin", tolerate="CREDIT_CARD", trap="first six digits of a card")
def issuer(row: Row, random: Random, argument: str) -> str:
    return card_number(random)[:6]


def _grouped(text: str, joiner: str, size: int = 4) -> str:
    return joiner.join(text[i : i + size] for i in range(0, len(text), size))


BBANS = {
    "DE": "%#################",
    "GB": "^^^^##############",
    "FR": "##########$$$$$$$$$$$##",
    "IT": "^##########$$$$$$$$$$$$",
    "NL": "^^^^##########",
    "SE": "####################",
    "PL": "########################",
    "TR": "#####0$$$$$$$$$$$$$$$$",
    "PT": "#####################",
    "AT": "################",
    "CH": "#####$$$$$$$$$$$$",
    "BR": "#######################^$",
    "DK": "##############",
    "FI": "##############",
    "IE": "^^^^##############",
    "CZ": "####################",
    "GR": "#######$$$$$$$$$$$$$$$$",
    "AE": "###################",
    "RO": "^^^^$$$$$$$$$$$$$$$$",
}
"""Shapes of the national part of an IBAN (SWIFT IBAN registry, ISO 13616)."""


def iban_number(random: Random, country: str) -> str:
    """A number whose two check digits satisfy ISO 7064 mod 97-10, as ISO 13616 asks."""
    bban = _spanish(random) if country == "ES" else fill(BBANS[country], random)
    check: str = iban_rules.calc_check_digits(f"{country}00{bban}")
    return f"{country}{check}{bban}"


def _spanish(random: Random) -> str:
    bank, account = fill("########", random), fill("##########", random)
    check: str = ccc.calc_check_digits(f"{bank}00{account}")
    return f"{bank}{check}{account}"


@maker("iban", "IBAN", tolerate="BANK_ACCOUNT")
def iban(row: Row, random: Random, argument: str) -> str:
    """Of the locale's country, of those given, or of any with `any`."""
    return iban_number(random, _iban_country(row, random, argument))


@maker("iban_spaced", "IBAN", tolerate="BANK_ACCOUNT")
def iban_spaced(row: Row, random: Random, argument: str) -> str:
    return _grouped(iban_number(random, _iban_country(row, random, argument)), " ")


def _iban_country(row: Row, random: Random, argument: str) -> str:
    if argument == "any":
        return random.choice([*BBANS, "ES"])
    if argument:
        return random.choice(argument.split(","))
    own = row.locale.code
    return own if own in BBANS or own == "ES" else "DE"


REAL_BICS = (
    "DEUTDEFF", "COBADEFFXXX", "MARKDEF1100", "BELADEBEXXX", "INGBNL2A", "RABONL2U", "ABNANL2A",
    "BNPAFRPP", "AGRIFRPP", "SOGEFRPP", "BSCHESMM", "CAIXESBB", "BBVAESMM", "UNCRITMM", "BCITITMM",
    "NDEASESS", "SWEDSESS", "HANDSESS", "BARCGB22", "MIDLGB22", "LOYDGB2L", "BKTRTRIS", "BPKOPLPW",
    "ISBKTRIS", "BOFAUS3N", "CHASUS33", "CITIUS33", "BRASBRRJ", "ITAUBRSP", "BOTKJPJT", "ICBKCNBJ",
    "SBININBB", "HDFCINBB", "KOEXKRSE", "BCMRMXMM", "GIBAATWW", "KREDBEBB", "UBSWCHZH80A",
)  # fmt: skip


@maker("bic", "SWIFT_BIC")
def bic(row: Row, random: Random, argument: str) -> str:
    own = [code for code in REAL_BICS if code[4:6] == row.locale.code]
    return random.choice(own if own and argument != "any" else REAL_BICS)


@maker("bank_account", "BANK_ACCOUNT")
def bank_account(row: Row, random: Random, argument: str) -> str:
    """An account number of the shape given, or of seven to twelve digits."""
    return fill(argument or "#" * random.randrange(7, 13), random)


@maker("routing", tolerate="BANK_ACCOUNT SWIFT_BIC", trap="number of a bank, not of a person")
def routing(row: Row, random: Random, argument: str) -> str:
    """A bank's number: sort code, BLZ, ABA or of the shape given."""
    return fill(argument, random)
