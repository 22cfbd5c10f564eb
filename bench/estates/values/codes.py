"""Codes of medicine, trade, places and computers."""

from random import Random

from bench.estates.patterns import fill
from bench.estates.values.maker import Row, maker

CODES = {
    "icd10": ("^##.#|^##", "MEDICAL", "code of a diagnosis"),
    "atc": ("^##^^##", "MEDICAL", "code of a drug"),
    "loinc": ("%####-#|####-#", "MEDICAL", "code of a laboratory test"),
    "cpt": ("9####|8####", "MEDICAL POSTAL_CODE", "code of a procedure, five digits like a ZIP"),
    "ndc": ("#####-####-##|####-####-##", "MEDICAL", "drug number, shaped like a phone number"),
    "snomed": ("%########|%######", "MEDICAL", "concept number"),
    "hs_code": ("####.##.##|######", "", "customs tariff"),
    "nace": ("##.##", "", "branch of business"),
    "gl_account": ("######|%###", "BANK_ACCOUNT", "account of the general ledger"),
    "sku": ("^^^-####|##-^^-###", "", "article code"),
    "batch": ("L######|^##%##", "", "batch number"),
    "airport": ("^^^", "CITY", "airport code"),
    "flight": ("LH####|AF###|BA####", "", "flight number"),
    "container": ("MSKU#######|TCLU#######", "", "container number"),
    "ticker": ("^^^|^^^^|^^", "", "stock symbol"),
    "colour_hex": ("\\x23>>>>>>", "", "colour"),
    "locale_code": ("de-DE|fr-FR|en-US|nl-NL|sv-SE", "LANGUAGE COUNTRY", "locale of an interface"),
    "timezone": ("Europe/Berlin|America/New_York|Asia/Tokyo", "CITY", "time zone"),
    "unit_code": ("KGM|LTR|PCE|MTR|CMT|BOX", "COUNTRY", "unit of measure, three letters"),
    "chromosome": ("chr%:######-######", "", "place on a genome"),
    "ean_price": ("2######00####", "", "article number with a weight inside"),
    "grid_ref": ("TQ ### ###|SU #### ####", "GEO_COORD POSTAL_CODE", "map reference"),
    "patent": ("EP#######B1|US########B2", "", "patent number"),
    "doi": ("10.%###/j.^^^.20##.0#.0##", "", "document identifier"),
    "isrc": ("DE-^##-2#-#####", "", "number of a recording"),
    "part_phone": ("%##-%##-####", "PHONE", "part number shaped like an American phone number"),
    "part_ssn": ("###-##-####", "SSN", "part number shaped like an American SSN"),
    "ref_iban": ("RF##%###########", "", "creditor reference"),
    "account_iban_like": ("DE##-####-##", "", "contract code that begins like an IBAN"),
}
"""Shapes, what a classifier may call them unpunished, and why they mislead."""


def _register(name: str, shapes: str, tolerate: str, trap: str) -> None:
    patterns = shapes.split("|")

    @maker(name, trap=trap, tolerate=tolerate)
    def code(row: Row, random: Random, argument: str) -> str:
        if name in LITERAL:
            return random.choice(patterns)
        return fill(random.choice(patterns), random).replace("\\x23", "#")


LITERAL = {"locale_code", "timezone", "unit_code"}

for _name, (_shapes, _tolerate, _trap) in CODES.items():
    _register(_name, _shapes, _tolerate, _trap)
