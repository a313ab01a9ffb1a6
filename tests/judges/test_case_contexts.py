"""Documents that a case gives: a judge is shown them where an answer tells of none that it rests on."""

from assay.judges import prompt, questions
from tests.cast import Project, case, response
from tests.judges_made import made


def test_a_judge_falls_back_on_the_case_s_documents(project: Project) -> None:
    """What the product had retrieved goes first; without any the case's own are shown, and satisfy what is required."""
    made(project.folder, "grounds", input="[response, contexts]", requires="[contexts]")
    judge, of = prompt.load("grounds"), case(1, contexts=["Two weeks.", "From delivery."])
    silent, telling = response(of, contexts=[]), response(of, contexts=["14 days."])
    assert questions.texts_of(judge, of, silent)["contexts"] == ["Two weeks.", "From delivery."]
    assert questions.texts_of(judge, of, telling)["contexts"] == ["14 days."]
    assert questions.expects(judge, of, silent)
    assert not questions.expects(judge, case(1), response(case(1), contexts=[]))


def test_documents_are_part_of_what_is_asked() -> None:
    """Other documents are another question, and none are the case of before."""
    plain, given, none = case(1), case(1, contexts=["Two weeks."]), case(1, contexts=[])
    assert (plain.request(), plain.revision()) == (none.request(), none.revision())
    assert plain.request() != given.request()
    assert plain.revision() != given.revision()
