"""Addresses, cities, regions, countries and coordinates."""

import re

from racine.governance.classifications.words import flags, fold, listed

_STREET = listed("street_words")
_COMPOUND = re.compile(
    r"[^\W\d_]{2,}(?:stra(?:ss|ß)e|str\.?|weg|gasse|platz|allee|ring|damm|straat|laan|plein|gracht|kade|dijk|gatan|"
    r"gata|vägen|vagen|gade|vej|vegen|veien|gaten|katu|tie|kuja|polku|stigen|stien|gränd|backen|bakken|torget|allén|alle|vænget|utca|ufer|chaussee|markt|stræde|torv)",
    re.IGNORECASE,
)
_BOX = re.compile(
    r"\b(?:p\.?\s?o\.?\s?box|postfach|apartado|bp|casella postale|caixa postal)\b\.?\s*\d", re.I
)
_NUMBER = re.compile(r"(?<![\w.])#?\d{1,6}(?:[-/]\d{1,5})?\s?[a-zA-Z]?(?![\w.]\d)\b")
_UNIT = re.compile(
    r"\b(?:apt|apartment|suite|ste|unit|floor|fl|room|building|bldg|apto|bloco|etage|piso|box)\b\.?\s*#?\s*\w",
    re.I,
)
_CJK_ADDRESS = re.compile(
    r"[\w\s・ヶケ]{2,}[区區市郡町村路街].*(?:\d+\s?(?:丁目|番|号|號|室|楼|栋)|\d+\w?[-－‐]\d+|\d+番地).*|"
    r"(?=.*\d|.*[一二三四五六七八九十*＊]).*(?:[都道府県省市州].*[区區町村县縣路街道丁号號番]|(?:시|도|구|군)\s.*(?:로|길|동|읍|면)).*"
)
_PAIR = re.compile(
    r"[(\[]?\s*(-?\d{1,3}\.\d{2,})\s*[°NS]*\s*[,; ]\s*(-?\d{1,3}\.\d{2,})\s*[°EW]*\s*[)\]]?"
)
_POINT = re.compile(r"(?:SRID=\d+;)?POINT\s*\(\s*-?\d+(?:\.\d+)?[ ,]+-?\d+(?:\.\d+)?\s*\)", re.I)
_DMS = re.compile(
    r"[NSEW]?\s*\d{1,3}\s*[°º:]\s*\d{1,2}\s*['′’:.]?\s*(?:\d{1,2}(?:[.,]\d+)?\s*[\"″”'’]*)?\s*[NSEWO]?",
    re.I,
)
_CODES = listed("region_codes")
_CJK_PLACE = re.compile(
    r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]{1,8}([市区區县縣町村镇鎮시군구省県府都道州도])"
)
_COUNTRY_CODE = re.compile(r"[A-Z]{2,3}|[a-z]{2,3}")
_CALLED = listed("country_by_habit")


def is_street_address(value: str) -> bool:
    """A street word together with a house number, or a post-office box."""
    if not 5 <= len(value) <= 160 or value.isdigit():
        return False
    if _BOX.search(value):
        return True
    return bool(_NUMBER.search(value)) and _has_street(value)


def is_street(value: str) -> bool:
    """A street word without a house number, in at most six words."""
    return 4 <= len(value) <= 60 and _has_street(value) and len(value.split()) <= 6


def _has_street(value: str) -> bool:
    words = re.split(r"[\s,]+", value)
    if any(fold(word.strip(".#()")) in _STREET for word in words) and len(words) > 1:
        return True
    return _COMPOUND.search(value) is not None


def is_numbered_words(value: str) -> bool:
    """A house number before or after one to five words, without a street word known to us."""
    return 5 <= len(value) <= 70 and _NUMBERED.fullmatch(value) is not None


_NUMBERED = re.compile(
    r"\d{1,5}[-/]?\d{0,4}\s?[a-zA-Z]?,?\s+(?:[^\W\d_][\w'’.-]*,?\s*){1,5}|(?:[^\W\d_][\w'’.-]*,?\s+){1,5}"
    r"(?:n[°ºo]?\.?\s?)?\d{1,5}\s?[-/]?\s?[a-zA-Z]?\d{0,4}"
)


def is_full_address(value: str) -> bool:
    """Several parts, a number, and a city, region or country among the parts."""
    parts = [part for part in re.split(r"[,\n;]+|\s{2,}", value) if part.strip()]
    if not 2 <= len(parts) <= 9 or len(value) > 220 or not re.search(r"\d", value):
        return False
    return any(_placed(part) for part in parts[1:])


def _placed(part: str) -> bool:
    text = re.sub(r"\b[\d-]{4,10}\b", "", part).strip()
    return (
        bool(set("crn") & set(flags(text)))
        or text in _CODES
        or (" " in text and text.split()[-1] in _CODES)
    )


def is_address(value: str) -> bool:
    """A street address, a full one, or one in Chinese, Japanese or Korean."""
    return is_street_address(value) or is_cjk_address(value) or is_full_address(value)


def has_unit(value: str) -> bool:
    """A flat, suite or floor, as second address lines hold."""
    return len(value) <= 60 and _UNIT.search(value) is not None


def is_cjk_address(value: str) -> bool:
    """Administrative divisions and a number in Chinese, Japanese or Korean."""
    return not value.isascii() and _CJK_ADDRESS.fullmatch(value) is not None


def place_traits(value: str) -> list[str]:
    """Return the place lists that hold the value, as detector ids."""
    if len(value) > 60:
        return []
    found, traits = flags(value), []
    bare = fold(value)
    if "," in value and not found:
        found, head = flags(value.split(",")[0]), True
    else:
        head = False
    if "c" in found:
        traits.append("city_name")
    if "r" in found and not head:
        traits.append("region_name")
    if ("n" in found and not head) or bare in _CALLED:
        traits.append("country_name")
    if "l" in found and not head:
        traits.append("language_name")
    if not value.isascii() and (wide := _CJK_PLACE.fullmatch(value)):
        traits.append("city_name" if wide[1] in "市区區县縣町村镇鎮시군구" else "region_name")
    if value in _CODES:
        traits.append("region_code")
    if "a" in found and _COUNTRY_CODE.fullmatch(value):
        traits.append("country_code" if value.isupper() else "country_code_lower")
    return traits


def is_coordinate_pair(value: str) -> bool:
    """Latitude and longitude in one value, decimal degrees or a WKT point (OGC 06-103r4)."""
    if _POINT.fullmatch(value):
        return True
    found = _PAIR.fullmatch(value)
    return found is not None and abs(float(found[1])) <= 180 and abs(float(found[2])) <= 180


def is_coordinate_dms(value: str) -> bool:
    """Degrees, minutes and seconds with a sign or a quarter."""
    return _DMS.fullmatch(value) is not None and not value.replace(":", "").isdigit()
