"""Calibration is measured over every ranked type of the kinds that labels name in full."""

from bench.classification.labelled import Label
from bench.classification.scoring import Measured


def test_confidence_that_is_as_often_right_as_it_says_has_no_error() -> None:
    measured = Measured()
    mail, nothing = Label(frozenset({"email"})), Label(frozenset())
    for label in (mail, mail, mail, nothing):
        measured.add(label, ["email"], [("email", 0.75), ("product_code", 0.9)])
    assert len(measured.confidences) == 4
    assert measured.calibration_error == 0.0


def test_the_gap_between_confidence_and_truth_is_weighed_by_answers() -> None:
    measured = Measured()
    for _ in range(3):
        measured.add(Label(frozenset()), ["email"], [("email", 0.9)])
    measured.add(Label(frozenset({"phone"})), [], [("phone", 0.4)])
    assert round(measured.calibration_error, 3) == round((3 * 0.9 + 0.6) / 4, 3)
