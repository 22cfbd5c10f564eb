"""Check digits that no library of ours has; each names its rule's source."""

import re

from stdnum import luhn, verhoeff

from racine.governance.classifications.detectors.network import is_uuid
from racine.governance.classifications.detectors.secrets import is_secret_token

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CONNECTION = re.compile(
    r"[a-z][a-z0-9+]{2,20}://[^\s:/@]+:[^\s/@]+@[^\s/]+.*|.*(?:Password|PWD|AccountKey)=[^;]+;?.*",
    re.I,
)
_AGENT = re.compile(
    r"(?:Mozilla|Opera|curl|Wget|python-requests|okhttp|Dalvik|PostmanRuntime)/\d.*"
)


def _digits(value: str) -> str:
    return "".join(filter(str.isdigit, value))


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def npi(value: str) -> bool:
    """National provider identifier: Luhn over 80840 and the number (45 CFR 162.406)."""
    return len(value) == 10 and value[0] in "12" and bool(luhn.is_valid("80840" + value))


def dea(value: str) -> bool:
    """DEA registration: odd digits plus twice the even ones end in the last (21 CFR 1301)."""
    digits = _digits(value)
    odd, even = sum(map(int, digits[0:6:2])), sum(map(int, digits[1:6:2]))
    return (
        len(digits) == 7
        and value[0] in "ABCDEFGHJKLMPRSTUX"
        and (odd + 2 * even) % 10 == int(digits[6])
    )


def mbi(value: str) -> bool:
    """Medicare beneficiary identifier: 11 places without S, L, O, I, B, Z (CMS MBI format)."""
    letter, either = "[AC-HJKMNP-RT-Y]", "[0-9AC-HJKMNP-RT-Y]"
    form = f"[1-9]{letter}{either}[0-9]{letter}{either}[0-9]{letter}{{2}}[0-9]{{2}}"
    return re.fullmatch(form, value.replace("-", "")) is not None


def nino(value: str) -> bool:
    """National insurance number: letters that HMRC issues, six digits, suffix A to D (NIM39110)."""
    compact = re.sub(r"[ -]", "", value)
    form = r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]"
    return re.fullmatch(form, compact) is not None


def dvla(value: str) -> bool:
    """UK driving licence: month digits of the birth date must exist, women's plus 50 (DVLA)."""
    compact = value.replace(" ", "")
    month, day = r"(?:[05][1-9]|[16][0-2])", r"(?:0[1-9]|[12]\d|3[01])"
    form = rf"[A-Z]{{1,5}}9{{0,4}}\d{month}{day}\d[A-Z][A-Z9][A-Z0-9][A-Z]{{2}}"
    return len(compact) == 16 and re.fullmatch(form, compact) is not None


def rvnr(value: str) -> bool:
    """German pension insurance number: digit sums of weighted digits, mod 10 (VKVV § 4)."""
    compact = value.replace(" ", "")
    if not re.fullmatch(r"\d{8}[A-Z]\d{3}", compact):
        return False
    letter = f"{_LETTERS.index(compact[8]) + 1:02d}"
    digits = compact[:8] + letter + compact[9:11]
    products = (
        int(d) * w for d, w in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True)
    )
    return sum(sum(map(int, str(p))) for p in products) % 10 == int(compact[11])


def kvnr(value: str) -> bool:
    """German health insurance number: letter as two digits, weights 1 and 2 (§ 290 SGB V)."""
    if not re.fullmatch(r"[A-Z]\d{9}", value):
        return False
    digits = f"{_LETTERS.index(value[0]) + 1:02d}{value[1:9]}"
    products = (int(d) * (1 + at % 2) for at, d in enumerate(digits))
    return sum(sum(map(int, str(p))) for p in products) % 10 == int(value[9])


def cnh(value: str) -> bool:
    """Brazilian driving licence: two check digits mod 11 with a carry (CONTRAN 511)."""
    if len(value) != 11 or len(set(value)) == 1:
        return False
    first = _weighted(value, tuple(range(9, 0, -1))) % 11
    carry = 2 if first >= 10 else 0
    second = _weighted(value, tuple(range(1, 10))) % 11 - carry
    expected = (0 if first >= 10 else first), (0 if second < 0 or second >= 10 else second)
    return (int(value[9]), int(value[10])) == expected


def pis(value: str) -> bool:
    """Brazilian worker number: weights 3 2 9…2, mod 11 (Caixa, PIS/PASEP/NIS)."""
    digits = _digits(value)
    rest = 11 - _weighted(digits, (3, 2, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (
        len(digits) == 11 and len(set(digits)) > 1 and int(digits[10]) == (0 if rest > 9 else rest)
    )


def clabe(value: str) -> bool:
    """Mexican account number: weights 3, 7, 1, mod 10 each (Banxico)."""
    total = sum(int(d) * w % 10 for d, w in zip(value[:17], (3, 7, 1) * 6, strict=False))
    return len(value) == 18 and value.isdigit() and (10 - total % 10) % 10 == int(value[17])


def luhn11(value: str) -> bool:
    """Eleven digits with a Luhn check digit."""
    return len(value) == 11 and bool(luhn.is_valid(value))


def uy_ci(value: str) -> bool:
    """Uruguayan identity card: weights 2 9 8 7 6 3 4, mod 10 (DNIC)."""
    digits = _digits(value).zfill(8)
    return len(digits) == 8 and -_weighted(digits, (2, 9, 8, 7, 6, 3, 4)) % 10 == int(digits[7])


def my_number(value: str) -> bool:
    """Japanese individual number: mod 11, weights 6 to 2 and 7 to 2 (MIC ordinance 85/2014)."""
    digits = _digits(value)
    rest = _weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return len(digits) == 12 and int(digits[11]) == (0 if rest <= 1 else 11 - rest)


def hkid(value: str) -> bool:
    """Hong Kong identity card: letters as 10 to 35, mod 11 (Immigration Department)."""
    compact = re.sub(r"[()]", "", value)
    if not re.fullmatch(r"[A-Z]{1,2}\d{6}[0-9A]", compact):
        return False
    places = compact.rjust(9)
    worth = [36 if c == " " else int(c, 36) for c in places]
    return sum(v * w for v, w in zip(worth, range(9, 0, -1), strict=True)) % 11 == 0


def tw_id(value: str) -> bool:
    """Taiwanese national id: letter as two digits, mod 10 (Ministry of the Interior)."""
    order = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
    if not re.fullmatch(r"[A-Z][1289]\d{8}", value):
        return False
    letter = order.index(value[0]) + 10
    total = letter // 10 + letter % 10 * 9 + _weighted(value[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))
    return total % 10 == 0


def nric(value: str) -> bool:
    """Singaporean NRIC and FIN: weights 2 7 6 5 4 3 2, letters by series (ICA)."""
    if not re.fullmatch(r"[STFGM]\d{7}[A-Z]", value):
        return False
    shift = {"T": 4, "G": 4, "M": 3}.get(value[0], 0)
    rest = (_weighted(value[1:8], (2, 7, 6, 5, 4, 3, 2)) + shift) % 11
    letters = (
        "JZIHGFEDCBA" if value[0] in "ST" else "XWUTRQPNMLK" if value[0] in "FG" else "KLJNPQRTUWX"
    )
    return letters[10 - rest if value[0] == "M" else rest] == value[8]


def au_medicare(value: str) -> bool:
    """Australian Medicare number: weights 1 3 7 9, mod 10 (Services Australia)."""
    digits = _digits(value)
    rest = _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10
    return len(digits) in (10, 11) and digits[0] in "23456" and rest == int(digits[8])


def eg_id(value: str) -> bool:
    """Egyptian identity number: century, birth date and governorate must exist."""
    form = r"[23]\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[0-2]\d|3[1-5]|88)\d{5}"
    return re.fullmatch(form, value) is not None


def snils(value: str) -> bool:
    """Russian insurance number: weights 9 to 1, mod 101 (Pension Fund of Russia)."""
    digits = _digits(value)
    total = _weighted(digits, tuple(range(9, 0, -1))) % 101 % 100
    return len(digits) == 11 and total == int(digits[9:])


def imei(value: str) -> bool:
    """IMEI of 15 digits with Luhn check digit and a known reporting body (3GPP TS 23.003)."""
    digits = _digits(value)
    return len(digits) == 15 and digits[:2] in _BODIES and bool(luhn.is_valid(digits))


_BODIES = frozenset("01 10 30 33 35 44 45 49 50 51 52 53 54 86 91 97 98 99".split())


def iccid(value: str) -> bool:
    """SIM card number: 89 first, Luhn check digit (ITU-T E.118)."""
    return value.startswith("89") and len(value) in (19, 20) and bool(luhn.is_valid(value))


def ethereum(value: str) -> bool:
    """0x and 40 hexadecimal digits (EIP-55 letters are not checked)."""
    return re.fullmatch(r"0x[0-9a-fA-F]{40}", value) is not None


def loinc(value: str) -> bool:
    """LOINC number: Luhn check digit after the dash (Regenstrief)."""
    body, _, check = value.partition("-")
    return 3 <= len(body) <= 5 and check.isdigit() and bool(luhn.is_valid(body + check))


def snomed(value: str) -> bool:
    """SNOMED CT identifier: Verhoeff digit and a partition of 00, 01, 02, 10, 11, 12 (IHTSDO)."""
    return value[-3:-1] in ("00", "01", "02", "10", "11", "12") and bool(verhoeff.is_valid(value))


def secret(value: str) -> bool:
    """A token with its issuer's prefix, a JWT or a PEM private key."""
    return is_secret_token(value)


def connection(value: str) -> bool:
    """A URL or connection string that carries a password (RFC 3986 userinfo)."""
    return _CONNECTION.fullmatch(value) is not None


def uuid(value: str) -> bool:
    """A UUID (RFC 9562)."""
    return is_uuid(value)


def user_agent(value: str) -> bool:
    """A product token that browsers and clients begin with (RFC 9110 § 10.1.5)."""
    return _AGENT.fullmatch(value) is not None
