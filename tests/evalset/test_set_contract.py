"""The contract of a release: each promise, broken, names its cases."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from assay.evalset.contract import Labelled, breaches, foreseen, leaked, promises, refusals
from assay.evalset.wording import texts
from assay.records.case import Case, SimulatedUser
from assay.records.category import Category
from assay.records.label import Item
from tests.cast import call, case, item

TELLING = "Cleo wants to know whether the moon box may be paused while she is away for seven weeks."
QUESTIONS = ["May I pause?", "Where is box seven?", "Do you sell nuts?"]
SOUND = [case(number, turns=[text]) for number, text in enumerate(QUESTIONS, 1)]


def refunds(**changes: Any) -> Category:
    fields = {"category": "refunds", "definition": "d", "examples": ["e"], "severity": "low", "quota": 3}
    return Category.model_validate(fields | {"owner": "payments", "layer": "unit"} | changes)


def found(
    cases: Sequence[Case] = SOUND,
    taxonomy: Category | None = None,
    heldout: Sequence[Item] = (),
    tune: Sequence[Item] = (),
    prompts: Mapping[str, str] | None = None,
    unfailing: Sequence[str] = (),
) -> list[str]:
    return breaches(cases, [taxonomy or refunds()], Labelled(tune, heldout), prompts or {}, unfailing)


def test_a_sound_set_keeps_it() -> None:
    """A set that keeps every promise breaks none, though cases resemble labelled ones and prompts have words."""
    labelled = {"heldout": [item(77, "Yes.", turns=["May I pause?"])], "tune": [item(78, "Yes.", turns=["Who pays?"])]}
    twins = [*SOUND, case(9, turns=["Where is box eight now?"]), case(10, turns=["Where is box nine now?"])]
    assert found(twins, prompts={"correctness": "Say pass or fail."}, **labelled) == []


@pytest.mark.parametrize(
    ("broken", "rule", "named"),
    [
        ({"cases": SOUND[:2]}, "every quota met", "2 of 3 cases refunds"),
        ({"unfailing": ["refunds-002"]}, "what can fail every case", "nothing refunds-002"),
        ({"cases": [], "taxonomy": refunds(quota=1)}, "at least one case", "found 0"),
        ({"cases": [*SOUND, SOUND[0]]}, "every case once", "refunds-001"),
        ({"cases": [*SOUND, case(9, turns=["may I  pause?"])]}, "no question twice", "refunds-009"),
        ({"cases": [*SOUND, case(9, turns=["A?"], owner=" ")]}, "an owner of every case", "refunds-009"),
        ({"taxonomy": refunds(owner="")}, "an owner of every category", "refunds"),
        ({"cases": [*SOUND, case(9, turns=["I am cleo@gmail.com"])]}, "no personal data", "e-mail address refunds-009"),
        (
            {
                "heldout": [item(77, "Yes.", turns=["Where is Box seven"])],
                "tune": [item(78, "Yes.", turns=["where is box seven?"])],
            },
            "no label to tune on that asks what a held-out one asks",
            "pass-fail.077 pass-fail.078",
        ),
        (
            {"cases": [*SOUND, case(9, turns=[TELLING])], "prompts": {"correctness": f"Example: {TELLING.upper()}"}},
            "no example of a judge's prompt",
            "correctness refunds-009",
        ),
        (
            {"cases": [*SOUND, case(9, turns=["A?"], reference=TELLING)], "prompts": {"grounding": TELLING}},
            "no example of a judge's prompt",
            "grounding refunds-009",
        ),
    ],
)
def test_each_promise_can_be_broken(broken: dict[str, Any], rule: str, named: str) -> None:
    """A set that breaks one promise is told which, and by which cases."""
    assert any(rule in line and named in line for line in found(**broken))
    assert any(rule in promise for promise in promises())


def test_personal_data_is_not_repeated() -> None:
    """What the message names is the case and the kind, not the address itself."""
    (line,) = found([*SOUND, case(9, turns=["I am cleo@gmail.com"])])
    assert "cleo@gmail" not in line


def test_what_asks_something_else_is_no_leak() -> None:
    """A twin leaks nothing, since no draw could keep all twins together; capitals make no other question."""
    longer = item(77, "Yes.", turns=["Hello, may I pause for seven weeks while I am away at sea?"])
    twin, same = item(78, "Yes.", turns=["Do you sell nut?"]), item(79, "Yes.", turns=["do you  SELL nuts"])
    tune = [item(number, "No.", turns=of.turns) for number, of in enumerate(SOUND, 1)]
    assert leaked(Labelled(tune, [longer, twin, same])) == {"pass-fail.003": "pass-fail.079"}


def test_of_several_items_that_leak_the_first_is_named() -> None:
    """What asks what two held-out items ask is named once, with the first of them in the table."""
    alike = [item(number, "Yes.", turns=["Do you sell nuts?"]) for number in (79, 78)]
    assert leaked(Labelled([item(3, "No.", turns=["Do you sell nuts"])], alike)) == {"pass-fail.003": "pass-fail.079"}


def test_kinds_of_personal_data_are_named_in_order() -> None:
    """Each kind in a case is named once, by the alphabet, wherever it stands."""
    said = (
        "I am cleo@gmail.com, 8.8.8.8, 4539148803436467, GB29 NWBK 6016 1331 9268 19, cleo@gmail.com, (212) 664-7665."
    )
    (line,) = found([*SOUND, case(9, turns=[said])])
    assert "(a card number, a telephone number, an IP address, an account" in line


def test_every_text_of_a_case_is_looked_at() -> None:
    """Turns, reference, expected values and arguments, and what the simulated user is told are all searched."""
    user = SimulatedUser(goal="g", persona="p", stop="s", max_turns=1)
    expectations = [{"check": "equals", "values": ["v"], "calls": [call("pay", '{"a": 1}')]}]
    one = case(
        1,
        turns=["t"],
        reference="r",
        expectations=expectations,
        user=user,
        inputs={"i": ["x"], "n": "y"},
        references=["z"],
        contexts=["c"],
    )
    assert set(texts(one)) == {"t", "r", '["x"]', "y", "z", "c", "v", '{"a": 1}', "g", "p", "s"}


def test_other_inputs_are_another_question() -> None:
    """Two cases that ask the same with other named values stand beside each other."""
    other = SOUND[0].model_copy(update={"case_id": "refunds-009", "inputs": '{"language": "de"}'})
    assert found([*SOUND, other]) == []
    again = other.model_copy(update={"case_id": "refunds-010"})
    assert [one for one in found([*SOUND, other, again]) if "no question twice" in one]


def test_a_shouted_case_is_another_question() -> None:
    """A case that was made from another one by capitals alone stands beside it."""
    loud = case(9, turns=[turn.upper() for turn in SOUND[0].turns], parent=SOUND[0].case_id)
    assert not [row for row in breaches([*SOUND, loud], [refunds()], Labelled([], []), {}) if "question" in row]


@pytest.mark.parametrize(
    ("fresh", "more", "told"),
    [
        ([case(8, turns=["Ship to Peru?"]), case(9, turns=["ship  to Peru?"])], {}, "refunds-008 and refunds-009"),
        ([case(9, turns=["may I  pause?"])], {}, "refunds-001 and refunds-009"),
        ([case(9, turns=["I am cleo@gmail.com"])], {}, "refunds-009 has an e-mail address"),
        ([case(9, turns=[TELLING])], {"prompts": {"correctness": TELLING}}, "refunds-009 and correctness"),
    ],
)
def test_what_a_release_would_refuse_is_told_of_new_cases(fresh: list[Case], more: dict[str, Any], told: str) -> None:
    """One question twice, personal data, and what judges are shown are told with the names at once."""
    (line,) = foreseen(refusals(fresh, SOUND, more.get("prompts", {})))
    assert told in line
    assert foreseen(refusals([case(9, turns=["Do you gift-wrap?"])], SOUND, more.get("prompts", {}))) == []


def test_of_many_new_cases_five_are_named() -> None:
    """Five cases with personal data are all named; of six the sixth is dots, and the number is told."""
    told = {
        count: foreseen(refusals([case(at, turns=[f"I am cleo{at}@gmail.com"]) for at in range(count)], SOUND, {}))[0]
        for count in (5, 6)
    }
    assert told[5].endswith("refunds-003 has an e-mail address, refunds-004 has an e-mail address)")
    assert "(5: " in told[5]
    assert told[6].endswith("refunds-004 has an e-mail address ...)")
    assert "(6: " in told[6]


def test_one_case_is_a_set() -> None:
    """Where a quota asks for no more."""
    assert found(SOUND[:1], refunds(quota=1)) == []


def test_an_owner_may_be_one_letter() -> None:
    """Whoever has a name of one letter owns cases and categories as anybody else does."""
    cases = [case(number, turns=[text], owner="x") for number, text in enumerate(QUESTIONS, 1)]
    assert found(cases, refunds(owner="x")) == []
