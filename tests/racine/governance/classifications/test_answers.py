"""What people answer to proposals, read from the forms of their approvals."""

from racine.governance.classifications.answers import Word, read

PROPOSED = {"vdt_1": "customers.ref", "vdt_2": "customers.note", "vdt_3": "orders.code"}


def said(*words: Word) -> dict[str, tuple[str, str]]:
    return {key: (a.said, a.by) for key, a in read(words, PROPOSED).given.items()}


def test_an_approval_without_a_form_confirms_what_was_proposed() -> None:
    assert said(Word("ada")) == dict.fromkeys(PROPOSED, ("confirmed", "ada"))


def test_single_columns_are_answered_by_id_or_by_name() -> None:
    form = {"decisions": {"vdt_1": "rejected", "orders.code": "username"}, "otherwise": "left"}
    assert said(Word("ada", form)) == {
        "vdt_1": ("rejected", "ada"),
        "vdt_2": ("left", "ada"),
        "vdt_3": ("username", "ada"),
    }


def test_a_second_approver_has_the_last_word_on_what_they_name() -> None:
    second = Word("bob", {"decisions": {"vdt_2": "rejected"}})
    assert said(Word("ada"), second) == {
        "vdt_1": ("confirmed", "ada"),
        "vdt_2": ("rejected", "bob"),
        "vdt_3": ("confirmed", "ada"),
    }


def test_what_is_not_understood_is_told_and_decides_nothing() -> None:
    form = {"decisions": {"vdt_1": "Yes, sure!", "elsewhere.x": "rejected"}, "otherwise": "maybe"}
    answers = read([Word("ada", form)], PROPOSED)
    assert {a.said for a in answers.given.values()} == {"left"}
    assert answers.not_understood == [
        "otherwise: maybe", "vdt_1: Yes, sure!", "elsewhere.x: rejected",
    ]  # fmt: skip


def test_a_form_of_another_shape_decides_only_by_its_otherwise() -> None:
    answers = read([Word("ada", {"decisions": ["vdt_1"], "otherwise": "left"})], PROPOSED)
    assert answers.not_understood == ["decisions: not an object"]
    assert {a.said for a in answers.given.values()} == {"left"}
