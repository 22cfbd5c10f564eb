"""Python tasks: functions of this file run in processes of their own on the worker.

racine apply examples/word_count.py
racine run word_count --param path=README.md --wait
"""

from collections import Counter
from pathlib import Path
from typing import TypedDict

import racine


class Words(TypedDict):
    total: int
    distinct: int
    longest: str


def count_words(path: str) -> Words:
    words = Counter(Path(path).read_text(encoding="utf-8").split())
    return {
        "total": words.total(),
        "distinct": len(words),
        "longest": max(words, key=len, default=""),
    }


def describe(path: str, total: int, distinct: int) -> str:
    return f"{path}: {total} words, {distinct} of them different"


@racine.job(tags={"example": "python"})
def word_count(job: racine.JobBuilder, path: str) -> None:
    """Counts the words of a text file."""
    words = job.task("count").python(count_words, path=path)
    any_word = job.task("any_word").condition(words.values["total"] > 0)
    job.task("describe", depends_on=[words, any_word.when("true")]).python(
        describe, path=path, total=words.values["total"], distinct=words.values["distinct"]
    )
    job.returns(total=words.values["total"], longest=words.values["longest"])
