"""Answers with the info types that datahub-classify proposes, by its reference configuration.

No language model: names and places, which it reads with one, are left to its other rules. It asks
for at least 50 values by default, which would leave out short tables; here 3 are enough.
"""

import json
import sys

import spacy

# It loads, else downloads, a language model while it is imported.
spacy.load = lambda name: spacy.blank("en")

from datahub_classify.helper_classes import ColumnInfo, Metadata  # noqa: E402
from datahub_classify.infotype_predictor import predict_infotypes  # noqa: E402
from datahub_classify.reference_input import input1  # noqa: E402

CONFIDENCE = 0.68
"""DataHub's default for a proposal."""

tables: dict[str, dict[str, list[str]]] = json.load(sys.stdin)


def column_info(table: str, column: str, values: list[str]) -> ColumnInfo:
    told = {"Name": column, "Description": "", "Datatype": "str", "Dataset_Name": table}
    return ColumnInfo(Metadata(told), values)


answers = {}
for table, columns in tables.items():
    asked = [column_info(table, column, values) for column, values in columns.items()]
    told = predict_infotypes(asked, CONFIDENCE, input1, minimum_values_threshold=3)
    answers[table] = {
        info.metadata.name: [
            proposal.infotype
            for proposal in sorted(
                info.infotype_proposals or [], key=lambda p: -p.confidence_level
            )[:1]
        ]
        for info in told
    }
json.dump(answers, sys.stdout)
