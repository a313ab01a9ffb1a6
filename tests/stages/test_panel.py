"""Panel: every judge is asked everything, a reply without a verdict once more, each as its endpoint can be asked."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from assay.errors import EndpointError
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.verdict import Verdict
from assay.stages import judge, review
from tests.cast import Project, case, item, response
from tests.endpoint import Body, Reply, Script, Served, completion, failure, serving

NAMES = ("judge-1", "judge-2", "judge-3")


@pytest.fixture
def panel(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Served]:
    """The cast's project with one labelled answer, judged by the models that are named."""
    LABELS.file().unlink()
    ITEMS.write([item(1, "Gift cards never expire.")])
    BASELINE.file().unlink()

    def judged_by(script: Script, now: datetime, names: tuple[str, ...] = NAMES, **settings: Any) -> Served:
        models = [{"hosted": name, "embedded": "lexical-judge"} for name in names]
        project.params("judge", model=models[0], panel=models[1:], max_retries=0, **settings)
        with serving(script) as served:
            monkeypatch.setenv("OPENAI_BASE_URL", served.url)
            judge.run(now)
        return served

    return judged_by


@pytest.fixture(autouse=True)
def answered(project: Project) -> None:
    """One case with an answer."""
    review.run()
    RESPONSES.write([response(case(1), "Yes.")])


def says(verdict: str, body: Body) -> Reply:
    """Return a legal reply of whoever was asked."""
    return completion(f'{{"verdict": "{verdict}"}}', body["model"])


def anchor() -> Verdict:
    """Return the verdict on the labelled answer."""
    (found,) = [one for one in VERDICTS.read() if one.subject == "anchor"]
    return found


def is_probe(body: Body) -> bool:
    """Tell whether a judge is only asked who it is."""
    return "Is this a probe?" in body["messages"][-1]["content"]


def test_a_member_that_cannot_be_asked_ends_the_stage(panel: Callable[..., Served], now: datetime) -> None:
    """A panel of which one model is unknown judges nothing: no majority of those who happen to answer."""
    with pytest.raises(EndpointError, match="judge-2"):
        panel(lambda body: failure(404) if body["model"] == "judge-2" else says("pass", body), now)


def test_every_member_is_asked_everything(panel: Callable[..., Served], now: datetime) -> None:
    """Three judges get the same questions, and two of them outvote the third."""
    served = panel(lambda body: says("fail" if body["model"] == "judge-3" else "pass", body), now)
    asked = [body for body in served.asked if not is_probe(body)]
    questions = {name: {str(body["messages"]) for body in asked if body["model"] == name} for name in NAMES}
    assert questions["judge-1"] == questions["judge-2"] == questions["judge-3"]
    assert len(questions["judge-1"]) == 2
    assert (anchor().outcome, anchor().votes) == ("pass", ["pass", "pass", "fail"])


def test_a_panel_has_a_fingerprint_of_its_own(panel: Callable[..., Served], now: datetime) -> None:
    """A certificate of one judge does not hold for a panel that it sits on."""
    panel(lambda body: says("pass", body), now, ("judge-1",))
    alone = anchor().fingerprint
    panel(lambda body: says("pass", body), now)
    assert anchor().fingerprint != alone


@pytest.mark.parametrize(("ask_again", "outcome", "asked"), [(0, "unscored", 1), (1, "pass", 2), (3, "pass", 2)])
def test_a_reply_without_a_verdict_is_asked_for_again(
    panel: Callable[..., Served], now: datetime, ask_again: int, outcome: str, asked: int
) -> None:
    """As often as the policy says, and the verdict tells that it was; the second reply counts."""
    seen: list[Body] = []

    def script(body: Body) -> Reply:
        if is_probe(body) or "Gift cards" not in str(body):
            return says("pass", body)
        seen.append(body)
        return completion("Well, it depends.", body["model"]) if len(seen) == 1 else says("pass", body)

    panel(script, now, ("judge-1",), ask_again=ask_again)
    assert (anchor().outcome, len(seen)) == (outcome, asked)
    assert anchor().detail.startswith("asked again") is (outcome == "pass")


def test_a_judge_that_never_gives_a_verdict_stays_unscored(panel: Callable[..., Served], now: datetime) -> None:
    """Asked twice and twice refused, it is refused: never a pass, never a fail."""
    panel(lambda body: says("pass", body) if is_probe(body) else completion(None, refusal="No."), now, ("judge-1",))
    assert (anchor().outcome, anchor().status) == ("unscored", "refused")
    assert anchor().detail.startswith("asked again; the judge refused")


@pytest.mark.parametrize(
    ("settings", "there", "absent"),
    [
        ({}, {"response_format", "logprobs", "temperature"}, set()),
        ({"structured": "none"}, {"logprobs"}, {"response_format"}),
        ({"log_probabilities": False}, {"response_format"}, {"logprobs", "top_logprobs"}),
        ({"temperature": None}, {"response_format"}, {"temperature"}),
    ],
)
def test_a_judge_is_asked_as_its_endpoint_can_be(
    panel: Callable[..., Served], now: datetime, settings: dict[str, Any], there: set[str], absent: set[str]
) -> None:
    """What an endpoint does not know is not sent to it, and another manner is another judge."""
    panel(lambda body: says("pass", body), now, ("judge-1",))
    usual = anchor().fingerprint
    served = panel(lambda body: says("pass", body), now, ("judge-1",), **settings)
    for body in served.asked:
        assert there <= body.keys()
        assert not absent & body.keys()
    assert (anchor().fingerprint == usual) is not bool(settings)
