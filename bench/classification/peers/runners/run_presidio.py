"""Answers with the entity that Presidio finds in half of a column's values.

No language model: pattern recognisers alone, the header's words given as context.
"""

import json
import re
import sys
from collections import Counter

from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NoOpNlpEngine

THRESHOLD = 0.4
"""Presidio scores a bare shape .05 to .3 and expects context to raise it."""

tables: dict[str, dict[str, list[str]]] = json.load(sys.stdin)
engine = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "none"}])
registry = RecognizerRegistry()
registry.load_predefined_recognizers(nlp_engine=engine, languages=["en"])
analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def entities(column: str, values: list[str]) -> list[str]:
    context = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower())
    found: Counter[str] = Counter()
    for value in values:
        results = analyzer.analyze(value, language="en", context=context, score_threshold=THRESHOLD)
        if results:
            found[max(results, key=lambda result: result.score).entity_type] += 1
    return [kind for kind, count in found.most_common(1) if count * 2 >= len(values)]


answers = {
    table: {column: entities(column, values) for column, values in columns.items()}
    for table, columns in tables.items()
}
json.dump(answers, sys.stdout)
