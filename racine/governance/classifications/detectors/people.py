"""Names of people, user names and organisations, by words rather than by form."""

import re

from racine.governance.classifications.words import flags, fold, listed

_TITLES = listed("titles")
_SUFFIXES = listed("name_suffixes")
_PARTICLES = listed("name_particles")
_CJK_FAMILY = listed("cjk_family_names")
_CJK_PAIRS = listed("cjk_long_family_names")
_CJK = re.compile(r"[\u4e00-\u9fff\u3040-\u30ff\uac00-\ud7af·・\s]{2,9}")
_BETWEEN = re.compile(r"\s*(?:[,;|/&\[\]\"]|u?'(?=[,\]])|(?<=[\[ ])u?'|\band\b)\s*")
_WORDS = re.compile(r"[^\W\d_]+(?:['’`-][^\W\d_]+)*\.?")
_ORGANIZATION = listed("organization_words")
_HANDLE = re.compile(r"@?[A-Za-z][A-Za-z0-9._-]{1,29}")


def name_words(value: str) -> list[str]:
    """Return the words of a value made of letters, apostrophes and hyphens alone, else nothing."""
    if len(value) > 60:
        return []
    text = re.sub(r"[,()\"]", " ", value)
    found = text.split()
    if not 1 <= len(found) <= 6 or any(not _WORDS.fullmatch(word) for word in found):
        return []
    return found


def name_traits(value: str) -> list[str]:
    """Return what speaks for or against a person's name in a value, as detector ids."""
    if not value.isascii() and _CJK.fullmatch(value):
        return ["person_cjk"] if _is_cjk_name(value) else []
    words = name_words(value)
    if not words:
        return ["person_list"] if is_person_list(value) else []
    return [*_form(value, words), *_listed(words)]


def is_person_list(value: str) -> bool:
    """Two or more full names between commas, semicolons or `and`, most of them listed names."""
    parts = [part for part in _BETWEEN.split(value[:300]) if part.strip()]
    if not 2 <= len(parts) <= 30:
        return False
    named = [words for part in parts if 2 <= len(words := name_words(part.strip())) <= 4]
    known = sum(any(set("gs") & set(flags(word)) for word in words) for words in named)
    return len(named) >= 0.7 * len(parts) and known >= 0.6 * len(parts)


def _form(value: str, words: list[str]) -> list[str]:
    core = [w for w in words if fold(w.rstrip(".")) not in _PARTICLES]
    capital = all(w[0].isupper() or not w[0].isascii() for w in core) and core
    traits = []
    if capital and 2 <= len(core) <= 4:
        traits.append("name_capitals")
    if len(words) == 1 and len(value) > 2 and value.isupper():
        traits.append("name_upper")
    if capital and len(words) == 1 and value[1:].islower():
        traits.append("name_word")
    if re.fullmatch(r"[^\W\d_][\w'’-]+,\s+[^\W\d_][\w.'’\s-]*", value):
        traits.append("name_comma")
    if any(len(w.rstrip(".")) == 1 and w[0].isupper() for w in words) and len(words) > 1:
        traits.append("name_initial")
    if fold(words[0].rstrip(".")) in _TITLES and len(words) > 1:
        traits.append("name_title")
    return traits


def _listed(words: list[str]) -> list[str]:
    folded = [fold(w.rstrip(".")) for w in words]
    core = [w for w in folded if w not in _TITLES and w not in _SUFFIXES and w not in _PARTICLES]
    listed = [_name_flags(w) for w in core if len(w) > 1]
    if not listed:
        return []
    traits = []
    known = [f for f in listed if "g" in f or "s" in f]
    clean = [f for f in known if "w" not in f]
    if len(core) >= 2 and len(known) == len(listed) and (len(listed) > 1 or len(core) > 1):
        traits.append("person_full")
    if len(core) >= 2 and known:
        traits.append("name_part_listed")
    if len(core) >= 2 and clean and ("g" in listed[0] or "g" in listed[-1]):
        traits.append("name_given_first")
    if len(listed) == 1 and "g" in listed[0]:
        traits.append("person_given")
    if len(listed) == 1 and "s" in listed[0]:
        traits.append("person_family")
    if any("w" in flags(w) for w in core):
        traits.append("name_common_word")
    return traits


def _name_flags(word: str) -> str:
    found = flags(word)
    parts = re.split(r"['’-]", word)
    if found or len(parts) != 2:
        return found
    return "".join(map(flags, parts))


def _is_cjk_name(value: str) -> bool:
    compact = re.sub(r"[\s·・]", "", value)
    if not 2 <= len(compact) <= 5:
        return False
    if compact[:2] in _CJK_PAIRS or "s" in flags(compact[:2]):
        return 3 <= len(compact) <= 5
    if compact[0] in _CJK_FAMILY:
        return len(compact) <= 3
    return "g" in flags(compact) or "s" in flags(compact)


def is_organization(value: str) -> bool:
    """A name with a legal form or a word that organisations carry, in up to nine words."""
    words = [fold(w.strip(".,()")) for w in value.replace("/", " ").split()]
    if not 2 <= len(words) <= 9:
        return False
    return any(w.replace(".", "") in _ORGANIZATION for w in words)


def is_handle(value: str) -> bool:
    """One word of letters, digits, dots, dashes, as user names are."""
    return _HANDLE.fullmatch(value) is not None and value.lower() == value
