"""Names of people in free text, found by presidio where its extra is installed; off by default.

Racine downloads no language model: the pipeline named in the settings is one that the operator
has installed.
"""

from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from racine.errors import InvalidInput
from racine.governance.classifications.engine import Classifier

_PERSON = "PERSON"
_LONGEST = 2_000
"""Characters of a text that are read."""


@cache
def person_names(pipeline: str) -> Classifier:
    """Return the classifier that finds names in free text with a spaCy pipeline.

    Raises InvalidInput where presidio or the pipeline is not installed.
    """
    if find_spec("presidio_analyzer") is None:
        raise InvalidInput(
            "Finding names in free text needs presidio, which is not installed.",
            next_step="Run `uv sync --extra presidio`, or leave RACINE_FREE_TEXT_NAMES empty.",
        )
    if not Path(pipeline).is_dir() and find_spec(pipeline) is None:
        raise InvalidInput(
            f"There is no spaCy pipeline {pipeline}.",
            next_step="Install it as a package, or name the folder it lies in; "
            "Racine downloads none.",
        )
    return Classifier(
        id="person_name_in_text",
        kind="person_name",
        name="Name of a person",
        category="identity",
        sensitivity="confidential",
        pack="custom",
        search=_Finder(pipeline),
        needs_name=True,
        source="presidio-analyzer, spaCy",
        declared=pipeline,
    )


class _Finder:
    """Asks presidio about a text; the pipeline is read when the first text comes."""

    def __init__(self, pipeline: str) -> None:
        self._pipeline = pipeline

    def __call__(self, text: str) -> bool:
        language, analyzer = self._loaded
        found = analyzer.analyze(text[:_LONGEST], language=language, entities=[_PERSON])
        return bool(found)

    @cached_property
    def _loaded(self) -> tuple[str, Any]:
        # By name: type checks and most installations do without the extra.
        presidio = import_module("presidio_analyzer")
        engines = import_module("presidio_analyzer.nlp_engine")
        recognizers = import_module("presidio_analyzer.predefined_recognizers")
        language = str(import_module("spacy").load(self._pipeline).meta["lang"])
        engine = engines.SpacyNlpEngine(
            models=[{"lang_code": language, "model_name": self._pipeline}]
        )
        engine.load()
        registry = presidio.RecognizerRegistry(supported_languages=[language])
        registry.add_recognizer(
            recognizers.SpacyRecognizer(supported_language=language, supported_entities=[_PERSON])
        )
        analyzer = presidio.AnalyzerEngine(
            nlp_engine=engine, registry=registry, supported_languages=[language]
        )
        return language, analyzer
