"""A read that was broken off and resumed ends in the verdicts of a read in one pass."""

import pytest

from bench.classification import chunks
from bench.classification.examples import own_rows


@pytest.mark.timeout(300)
def test_our_own_tables_are_judged_alike_in_chunks_and_in_one_pass() -> None:
    long = [pair for pair in own_rows("drawn") if pair[0].rows >= 60]
    compared = chunks.compare(long, 3)
    assert compared.columns >= 200
    assert compared.differing == []
