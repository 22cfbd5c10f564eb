"""Payment cards, bank accounts and money."""

import re

from stdnum import iban, luhn

from racine.governance.classifications.words import flags

_SEPARATED = re.compile(
    r"\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}|\d{13,19}(?:\.0)?"
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_SYMBOL = r"[$€£¥₹₩₺₽₫฿₪R]|R\$|US\$|kr|zł|CHF|EUR|USD|GBP|JPY|INR|BRL|PLN|SEK|CAD|AUD|Rs\.?"
_MONEY = re.compile(
    rf"(?:[-+(]?\s*(?:{_SYMBOL})\s?-?\d[\d.,\s]*[KMB]?\)?|-?\d[\d.,\s]*\s?(?:{_SYMBOL}))", re.I
)


def card_digits(value: str) -> str:
    """Return the digits of a value grouped as cards are, or nothing."""
    if not _SEPARATED.fullmatch(value):
        return ""
    return value.removesuffix(".0").replace(" ", "").replace("-", "")


def is_card_shape(value: str) -> bool:
    """13 to 19 digits with the length that the issuer's leading digits ask for (ISO/IEC 7812)."""
    return _issuer(card_digits(value))


def is_card(value: str) -> bool:
    """A card number with issuer range, length and Luhn check digit (ISO/IEC 7812-1)."""
    digits = card_digits(value)
    return _issuer(digits) and luhn.is_valid(digits) and len(set(digits)) > 2


def _issuer(digits: str) -> bool:
    length = len(digits)
    if not digits or digits[0] not in "23456":
        return False
    two, three, four = digits[:2], digits[:3], digits[:4]
    if digits[0] == "4":
        return length in (13, 16, 19)
    if two in ("34", "37"):
        return length == 15
    if "51" <= two <= "55" or "2221" <= four <= "2720":
        return length == 16
    if two in ("36", "38", "39") or "300" <= three <= "305":
        return 14 <= length <= 19
    if four == "6011" or two == "65" or "644" <= three <= "649" or two in ("62", "35"):
        return 16 <= length <= 19
    return two in ("50", "56", "57", "58", "63", "67", "60") and 13 <= length <= 19


def is_iban(value: str) -> bool:
    """An IBAN with valid check digits (ISO 13616, mod 97)."""
    return is_iban_shape(value) and bool(iban.is_valid(value, check_country=False))


def is_iban_shape(value: str) -> bool:
    """Country code, two digits and 11 to 30 letters or digits, grouped or not."""
    compact = value.replace(" ", "").replace("-", "")
    return _IBAN.fullmatch(compact) is not None and "a" in flags(compact[:2])


def is_bic(value: str) -> bool:
    """A business identifier code of 8 or 11 characters with a country in it (ISO 9362)."""
    return _BIC.fullmatch(value) is not None and "a" in flags(value[4:6])


def is_money(value: str) -> bool:
    """A number with a currency sign or code."""
    return _MONEY.fullmatch(value) is not None
