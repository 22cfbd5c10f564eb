"""From the distinct values of one column to evidence that holds none of them."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from statistics import median

from racine.governance.classifications import shapes
from racine.governance.classifications.catalogue import Classifier, classifiers
from racine.governance.classifications.detectors import (
    contact,
    dates,
    finance,
    lists,
    network,
    people,
    places,
    quantities,
    secrets,
)
from racine.governance.classifications.evidence import Dates, Evidence, Numbers
from racine.governance.classifications.words import listed

SAMPLE = 320
"""Distinct values that every detector reads; see `_rare` for what the rest is searched for."""
_PROBE = 24
_SEARCHED = 100
"""Texts put to classifiers that search: language models read some hundred a second."""
_NUMBER = re.compile(r"[-+]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:[.,]\d+)?(?:[eE][-+]?\d+)?%?")
_PLACEHOLDERS = listed("placeholders")
_MARKS = frozenset(
    form for p in _PLACEHOLDERS for form in (p, p.upper(), p.capitalize(), p.title())
)

Check = Callable[[str], bool]
_ALWAYS = re.compile("")

# Detector id, the masked shape it needs, the check that decides. The shape is tried once for each
# distinct shape of a column, the check once for each value.
_DETECTORS: tuple[tuple[str, re.Pattern[str], Check], ...] = tuple(
    (name, re.compile(shape, re.DOTALL), check)
    for name, shape, check in (
        ("email", r"[^\s].*@.*[aA]", contact.is_email),
        ("email_any", r".*(?:@|&#|%99|aa).*", contact.is_any_email),
        ("ip_any", r"[\[]?[aA9:.]+(?:\]?[:/]9+)?", network.is_ip),
        ("phone_any", r".*9.*9.*", contact.is_phone),
        ("address_any", r".*[aA].*", places.is_address),
        ("email_encoded", r".*(?:&#|%99|aa).*", contact.is_encoded_email),
        ("url", r"(?:[aA]+:)?//.*|[aA]{3}\..*", network.is_url),
        ("file_name", r".*\.[aA9]{2,5}", network.is_file_name),
        ("hostname", r"[aA9][aA9-]*(?:\.[aA9-]+)+(?:\.|/.*)?", network.is_hostname),
        ("ipv4", r"9{1,3}(?:\.9{1,3}){3}", network.is_ipv4),
        ("version_like", r"9{1,3}(?:\.9{1,3}){3}", network.is_low_version),
        ("version_head", r"9{1,3}(?:\.9{1,3}){3}", network.is_version_head),
        ("ipv6", r"[aA9:.]*:[aA9:.]*:[aA9:.]*", network.is_ipv6),
        ("ip_port", r"\[?[aA9:.]+\]?[:/]9{1,5}", network.is_ip_with_suffix),
        ("mac_bare", r"[aA9]{12}", network.is_bare_mac),
        ("mac", r"[aA9]{2}[:-].*|[aA9]{4}\..*", network.is_mac),
        ("uuid", r"[{aA9][aA9{}-]{31,37}", network.is_uuid),
        ("phone_international", r"\D{0,6}(?:\+|99).*9.*", contact.is_international_phone),
        ("phone_national", r"[^9]{0,12}9.*9.*", contact.is_national_phone),
        ("phone_bare", r"9{7,13}(?:\.9)?", contact.is_bare_phone),
        ("phone_trunk", r"9{9,12}(?:\.9)?", contact.is_trunk_phone),
        ("phone_us", r"9{10}(?:\.9)?", contact.is_us_phone),
        ("card_luhn", r"9{4}[9 -]+9(?:\.9)?", finance.is_card),
        ("card_shape", r"9{4}[9 -]+9(?:\.9)?", finance.is_card_shape),
        ("iban_valid", r"AA99[A9 -]+", finance.is_iban),
        ("iban_shape", r"AA99[A9 -]+", finance.is_iban_shape),
        ("bic", r"A{6}[A9]{2}(?:[A9]{3})?", finance.is_bic),
        ("money", r".*9.*", finance.is_money),
        ("password_hash", r"[$aA{].*[$}].*", secrets.is_password_hash),
        ("hex_digest", r"(?:9[aA])?[aA9]{32,128}", secrets.is_hex_digest),
        ("secret_token", r"[aA-].{15,}", secrets.is_secret_token),
        ("password_plain", r"\S{6,32}", secrets.is_plain_password),
        ("clock", r"9{1,2}:99.*", dates.is_clock),
        ("date", r".*9.*9.*", dates.is_date),
        ("age_number", r"9{1,3}(?:\.9+)?", quantities.is_age),
        ("coordinate_number", r"-?9{1,3}\.9{3,}", quantities.is_degree),
        ("vin", r"[A9]{17}", quantities.is_vin),
        ("vin_serial", r"[A9]{17}", quantities.ends_in_serial),
        ("organization_name", r".*[aA].*\s.*", people.is_organization),
        ("handle", r"@?[aA][aA9._-]+", people.is_handle),
        ("street_address", r".*[aA].*", places.is_street_address),
        ("street_name", r"[^9]*[aA][^9]*", places.is_street),
        ("numbered_words", r"9.*[aA].*|[aA].*9.*", places.is_numbered_words),
        ("full_address", r".*[aA].*", places.is_full_address),
        ("address_unit", r".*[aA].*[9aA]", places.has_unit),
        ("address_cjk", r".*a.*", places.is_cjk_address),
        ("coordinate_pair", r".*9\.9.*9.*|.*A{5}.*", places.is_coordinate_pair),
        ("coordinate_dms", r".*9+\s*[^aA9.,].*9.*", places.is_coordinate_dms),
    )
)
_SHAPED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(shape))
    for name, shape in (
        ("ssn_shape", r"999-99-9999"),
        ("email_local", r"[^\s@:/]+@[aA][aA9-]*(?:\.[aA][aA9-]*)*"),
        ("age_range", r"9{1,2} ?[-–] ?9{1,2}|[<>]=? ?9{2}|9{2} ?\+"),
        ("region_iso", r"A{2,3}[-_][A9]{1,3}"),
        ("postal_plus4", r"9{9}"),
        ("postal_us", r"9{5}(?:-9{4})?"),
        ("postal_uk", r"A{1,2}9[A9]? ?9AA"),
        ("postal_ca", r"A9A[ -]?9A9"),
        ("postal_nl", r"9999 ?AA"),
        ("postal_br", r"9{5}-9{3}"),
        ("postal_pl", r"99-999"),
        ("postal_jp", r"999-9999"),
        ("postal_se", r"999 99"),
        ("postal_pt", r"9999-999"),
        ("postal_prefixed", r"A{1,3}-?9{3,6}"),
        ("postal_digits", r"9{4,7}"),
        (
            "id_shape",
            r"[A9aX./ -]{0,3}9[9./ -]{4,16}[A9X-]{0,4}|A{1,5}9{5,12}[A9]{0,4}"
            r"|A{6}[A9]{2}A[A9]{2}A[A9]{3}A|A{4}9{6}[A9]{3,8}|A{2} ?9{2} ?9{2} ?9{2} ?A"
            r"|(?=.*9)[A9]{8,12}",
        ),
        (
            "passport_shape",
            r"A{1,2}9{6,8}|9{9}|A99A{1,3}[A9]{2,6}|9{2} 9{7}|9{2} 9{2} 9{6}"
            r"|(?=(?:.*9){3})[A9]{7,10}",
        ),
        (
            "licence_shape",
            r"A{1,5}[9-]{4,14}[A9]{0,5}|9{7,12}|A9{3}-9{4}-9{4}|9{2}-9{2}-9{6}-9{2}"
            r"|(?=(?:.*9){4})[A9][A9 /-]{5,20}",
        ),
        ("icd10", r"A99(?:\.?[A9]{1,4})?"),
        ("year_shape", r"9999"),
        ("integer_shape", r"-?9+"),
        ("code_shape", r"[A9]*(?:A[A9_/-]*9|9[A9_/-]*A)[A9_/-]*"),
        ("upper_code", r"A{2,5}"),
        ("one_letter", r"[aA]"),
        ("snake_case", r"a+(?:_a+)+"),
        ("camel_case", r"[aA]*aA[aA]*"),
        ("path", r"[./~]?[aA9._-]*(?:/[aA9._ -]+){1,}|[aA]:\\.*"),
    )
)


_LONG = 100
"""Characters from which a value is read as text: few types are so long."""
_OF_TEXT = frozenset(
    "email_any email url password_hash hex_digest secret_token address_any full_address "
    "coordinate_pair".split()
)


@lru_cache(50_000)
def _gates(shape: str) -> tuple[tuple[str, ...], tuple[tuple[str, Check], ...]]:
    """Return the detectors a shape decides by itself and those it admits to their check."""
    if len(shape) > _LONG:
        return (), tuple((n, c) for n, p, c in _DETECTORS if n in _OF_TEXT and p.fullmatch(shape))
    decided = tuple(name for name, pattern in _SHAPED if pattern.fullmatch(shape))
    return decided, tuple(
        (n, check) for n, pattern, check in _DETECTORS if pattern.fullmatch(shape)
    )


@lru_cache(8)
def _shaped(entries: tuple[Classifier, ...]) -> tuple[Classifier, ...]:
    return tuple(entry for entry in entries if entry.shape or entry.check)


@lru_cache(50_000)
def _typed(shape: str, entries: tuple[Classifier, ...]) -> tuple[Classifier, ...]:
    if len(shape) > _LONG:
        return tuple(e for e in entries if e.shape is None)
    return tuple(e for e in entries if e.shape is None or e.shape.fullmatch(shape))


def gather(values: Mapping[str, int], *, using: Sequence[Classifier] | None = None) -> Evidence:
    """Return value-free evidence of one column's distinct text values with their counts.

    Nulls are left out by the caller; placeholders such as `n/a` are counted apart here. Every
    value is put to the shape gates, an even spread of `SAMPLE` distinct values to the checks.
    """
    marks = {mark: values[mark] for mark in _MARKS if mark in values}
    kept = [v for v in values if v not in marks and v.strip()] if marks else list(values)
    if not kept:
        return Evidence(placeholders=sum(values.values()))
    step = max(1, -(-len(kept) // SAMPLE))
    sample = [_clean(value) for value in kept[::step]]
    forms = shapes.count(kept) if len(kept) <= 5000 or len(sample[0]) < 64 else shapes.count(sample)
    entries = tuple(using) if using is not None else classifiers()
    bank = _shaped(entries)
    hits, tried = _detect(sample, bank)
    return Evidence(
        rows=sum(values.values()) - sum(marks.values()),
        placeholders=sum(marks.values()),
        distinct=len(kept),
        sampled=len(sample),
        hits={name: count for name, count in hits.items() if count},
        tried=tried,
        spans=_spans(sample) | _searched(sample, entries),
        shapes=shapes.shown(forms.most_common(60)),
        length=_lengths(sample),
        words=round(sum(len(v.split()) for v in sample) / len(sample), 2),
        recurring=_recurring(sample),
        characters=_characters(sample),
        numbers=_numbers(sample),
        dates=_dates(sample),
    )


def value_hits(value: str, entries: tuple[Classifier, ...] = ()) -> set[str]:
    """Return the ids of all detectors, and of the given classifiers, that accept one value."""
    hits, _ = _detect([_clean(value)], _shaped(entries))
    return {name for name, count in hits.items() if count}


def accepts(entry: Classifier, value: str) -> bool:
    """Tell whether a value passes a classifier's own check or one of its detectors."""
    cleaned = _clean(value)
    if (entry.shape or entry.check) and _typed(shapes.mask(cleaned[:400]), (entry,)):
        if entry.check is None or entry.check(cleaned):
            return True
    return bool(entry.detectors) and bool(value_hits(value) & set(entry.detectors))


def _clean(value: str) -> str:
    value = value.strip()
    if value.startswith('["') and value.endswith('"]'):
        value = value[2:-2].split('"', 1)[0]
    return value[1:-1].strip() if len(value) > 2 and value[0] == value[-1] == '"' else value


def _detect(
    sample: Sequence[str], bank: tuple[Classifier, ...]
) -> tuple[Counter[str], dict[str, int]]:
    hits: Counter[str] = Counter()
    grouped: dict[str, list[str]] = defaultdict(list)
    for value in sample:
        grouped[shapes.mask(value[:400])].append(value)
    waiting: dict[str, tuple[Check, list[str]]] = {}
    for shape, members in grouped.items():
        decided, admitted = _gates(shape)
        for name in decided:
            hits[name] += len(members)
        for name, check in admitted:
            hits[name] += sum(map(check, members))
        for entry in _typed(shape, bank):
            if entry.check is None:
                hits[entry.id] += len(members)
            else:
                waiting.setdefault(entry.id, (entry.check, []))[1].extend(members)
    for value in sample:
        hits.update(_traits(value))
    return hits, _validate(waiting, hits)


def _traits(value: str) -> Iterable[str]:
    yield from people.name_traits(value)
    yield from places.place_traits(value)
    yield from lists.list_traits(value)


def _validate(waiting: dict[str, tuple[Check, list[str]]], hits: Counter[str]) -> dict[str, int]:
    """Count what each validator accepts; one that accepts little of its probe stops there."""
    tried = {}
    for name, (check, members) in waiting.items():
        step = max(1, len(members) // _PROBE)
        probe = members[::step][:_PROBE]
        passed = sum(map(check, probe))
        if len(members) > len(probe) and passed * 4 >= len(probe):
            passed, probe = sum(map(check, members)), members
        if passed:
            hits[name] += passed
        if len(probe) < len(members):
            tried[name] = len(probe)
    return tried


_SPANS: tuple[tuple[str, re.Pattern[str], Check | None], ...] = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-zA-Z]{2,}"), None),
    (
        "card_luhn",
        re.compile(r"(?<![\d.,-])\d{4}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\d.,-])"),
        finance.is_card,
    ),
    (
        "iban_valid",
        re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        finance.is_iban,
    ),
    (
        "phone_international",
        re.compile(r"(?<!\w)\+\d[\d ().-]{7,16}\d(?!\w)"),
        contact.is_international_phone,
    ),
    (
        "ssn_shape",
        re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])"),
        None,
    ),
    ("ipv4", re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"), network.is_ipv4),
    ("mac", re.compile(r"\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\b"), network.is_mac),
)


def _texts(sample: Sequence[str]) -> list[str]:
    """Return the values that are free text: a blank within, and some length."""
    return [value for value in sample if " " in value and len(value) >= 20]


def _searched(sample: Sequence[str], entries: tuple[Classifier, ...]) -> dict[str, int]:
    """Count the texts in which classifiers that search text find their type."""
    searching = [(entry.id, entry.search) for entry in entries if entry.search is not None]
    texts = _texts(sample)[:_SEARCHED] if searching else []
    counts = {name: sum(map(search, texts)) for name, search in searching}
    return {name: count for name, count in counts.items() if count}


def _spans(sample: Sequence[str]) -> dict[str, int]:
    """Count the values of free text that hold a span of each sort."""
    texts = _texts(sample)
    if not texts:
        return {}
    counts: Counter[str] = Counter()
    for name, pattern, check in _SPANS:
        for text in texts:
            found = pattern.search(text)
            if found and (check is None or check(found[0])):
                counts[name] += 1
    return dict(counts)


def _lengths(sample: Sequence[str]) -> tuple[int, float, int]:
    sizes = [len(value) for value in sample]
    return min(sizes), round(sum(sizes) / len(sizes), 2), max(sizes)


def _recurring(sample: Sequence[str]) -> float:
    words = Counter(word for value in sample for word in set(value[:200].split()))
    return round(max(words.values(), default=0) / len(sample), 2)


def _characters(sample: Sequence[str]) -> dict[str, float]:
    text = "".join(value[:200] for value in sample)
    masked = shapes.mask(text)
    digits, upper = masked.count("9"), masked.count("A")
    lower, blank = masked.count("a"), masked.count(" ")
    wide = 0 if text.isascii() else sum(not char.isascii() for char in text)
    parts = {"digit": digits, "upper": upper, "lower": lower, "blank": blank}
    parts["sign"] = len(text) - sum(parts.values())
    parts["wide"] = wide
    return {name: round(part / len(text), 3) for name, part in parts.items() if part}


def _number(value: str) -> float | None:
    if len(value) > 24 or not _NUMBER.fullmatch(value) or not any(map(str.isdigit, value)):
        return None
    text = value.rstrip("%")
    if text.count(",") == 1 and "." not in text and not re.search(r",\d{3}$", text):
        text = text.replace(",", ".")
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None  # 1e999 is a code, not a number


def _rounded(number: float) -> float:
    return float(f"{number:.2g}")


def _numbers(sample: Sequence[str]) -> Numbers | None:
    pairs = [(number, value) for value in sample if (number := _number(value)) is not None]
    if not pairs:
        return None
    numbers = sorted(number for number, _ in pairs)
    whole = [n for n in numbers if n == int(n) and abs(n) < 1e15]
    places_ = [len(value.partition(".")[2]) for _, value in pairs if "e" not in value.lower()]
    return Numbers(
        count=len(pairs),
        integers=len(whole),
        negatives=sum(n < 0 for n in numbers),
        decimals=round(sum(places_) / max(len(places_), 1), 2),
        opening=_opening(value for _, value in pairs),
        minimum=_rounded(numbers[0]),
        median=_rounded(median(numbers)),
        maximum=_rounded(numbers[-1]),
        sequential=len(whole) > 3 and whole[-1] - whole[0] < _density(whole[-1]) * len(whole),
    )


def _density(largest: float) -> float:
    """Return how many numbers there may be for each in a sequence: long ones are never so dense."""
    return 8.0 if largest >= 1e6 else 1.5


def _opening(values: Iterable[str]) -> float:
    firsts = Counter(value.lstrip("+-")[:1] for value in values)
    return round(max(firsts.values()) / firsts.total(), 2)


def _dates(sample: Sequence[str]) -> Dates | None:
    found = [parsed for value in sample if (parsed := dates.parse(value))]
    if not found:
        return None
    years = sorted(year for year, _, _ in found)
    last = len(years) - 1
    picked = [years[round(last * share)] for share in (0, 0.1, 0.5, 0.9, 1)]
    return Dates(
        count=len(found),
        timed=sum(timed for _, timed, _ in found),
        years=(picked[0], picked[1], picked[2], picked[3], picked[4]),
        firsts=sum(first for _, _, first in found),
    )
