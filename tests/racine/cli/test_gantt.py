"""Bars of a Gantt chart in the terminal."""

from racine.cli.gantt import WIDTH, bar


def test_attempts_stand_where_their_time_was() -> None:
    half = WIDTH // 2
    assert bar([(0, 5), (5, 10)], 10) == "█" * WIDTH
    assert bar([(5, 10)], 10) == " " * half + "█" * half
    assert bar([(0, 2.5), (5, 7.5)], 10) == "█" * 10 + " " * 10 + "█" * 10


def test_what_took_no_time_is_still_seen() -> None:
    assert bar([(10, 10)], 10) == " " * (WIDTH - 1) + "█"
    assert bar([(0, 0)], 0) == "█"
    assert bar([], 10) == ""
