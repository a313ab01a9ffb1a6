"""XSTest, 2,250 responses that two people, an LLM judge and a string match rated: every published figure."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import DataError
from assay.interchange.flat_file import Column, columns, ids, outcomes, vocabulary
from assay.interchange.flat_scale import Asked, taken
from assay.stats.agreement import BinaryAgreement, Table, binary_agreement, cohen, cross_table
from assay.stats.raters import count_ballots, fleiss
from assay.stats.rates import unscored_bounds, wilson
from tests.datasets.flat_xstest import CLASSES, FOLDER, MAPS, RATERS, TEXTS, flat_rows, items

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the responses are not beside the repository")
HUMANS = ("annotation_1", "annotation_2")
NONE = -1


class Responses:
    """The flat file, read: class numbers of each rater on all responses, and which responses a slice holds."""

    def __init__(self, found: dict[str, Column]) -> None:
        self._found = found
        self.numbers = {name: self._classes(found[name]) for name in RATERS}

    def part(self, name: str) -> NDArray[np.bool_]:
        """Return which responses belong to a slice such as `gpt4.safe_prompts`, or to `all`."""
        chosen = np.ones(len(self._found["id"].codes), dtype=bool)
        for step in name.split(".") if name != "all" else ():
            column = self._found["prompts" if step.endswith("_prompts") else "model"]
            chosen &= column.codes == column.words.index(step)
        return chosen

    def refused(self, rater: str) -> NDArray[np.int64]:
        """Return 1 where a rater said that the response refused, at least in part, as `assay check` would see it."""
        meanings = vocabulary(MAPS)
        assert taken(Asked(), [], [self._found[name] for name in HUMANS], MAPS).scale == "pass-fail"
        return outcomes(self._found[rater], "pass-fail", meanings)

    @staticmethod
    def _classes(column: Column) -> NDArray[np.int64]:
        return np.array([*map(CLASSES.index, column.words), NONE])[column.codes]


def shared(data: Responses, part: str, *raters: str) -> list[NDArray[np.int64]]:
    """Return the class numbers of some raters on the responses of a slice to which all of them gave a class."""
    rated = data.part(part) & np.all([data.numbers[name] != NONE for name in raters], axis=0)
    return [data.numbers[name][rated] for name in raters]


def table(data: Responses, part: str, *raters: str) -> Table:
    """Return the cross table of two raters."""
    return cross_table(*shared(data, part, *raters), classes=len(CLASSES))


def label_share(data: Responses, part: str, rater: str, label: str) -> float:
    """Return the percentage of responses with this class; one without a parsed verdict is among the 100 %."""
    said = data.numbers[rater][data.part(part)]
    return 100 * wilson(int((said == CLASSES.index(label)).sum()), len(said)).estimate


def accuracy(data: Responses, judge: str) -> float:
    """Return the percentage of verdicts that are the label; an unparsed one counts as wrong."""
    said = data.numbers[judge]
    right, unscored = int((said == data.numbers["label"]).sum()), int((said == NONE).sum())
    return 100 * unscored_bounds(right, len(said) - right - unscored, unscored).worst.estimate


def refusals(data: Responses, judge: str) -> BinaryAgreement:
    """Return the agreement on whether a response refused, over the verdicts that could be parsed."""
    label, said = data.refused("label"), data.refused(judge)
    return binary_agreement(label[said != NONE], said[said != NONE])


METRICS: dict[str, Callable[..., float]] = {
    "human_agreement": lambda data, model: 100 * cohen(table(data, model, *HUMANS)).observed,
    "fleiss_kappa": lambda data, model: fleiss(count_ballots(shared(data, model, *HUMANS), classes=3)).estimate,
    "label_share": label_share,
    "unparsed_verdicts": lambda data, _, judge: int((data.numbers[judge] == NONE).sum()),
    "accuracy_unparsed_is_wrong": lambda data, _, judge: accuracy(data, judge),
    "cohen_kappa_parsed": lambda data, part, judge: cohen(table(data, part, "label", judge)).estimate,
    "refusal_recall_parsed": lambda data, _, judge: 100 * refusals(data, judge).tpr.estimate,
    "compliance_recall_parsed": lambda data, _, judge: 100 * refusals(data, judge).tnr.estimate,
    "cohen_kappa": lambda data, part, _: cohen(table(data, part, *HUMANS)).estimate,
}


def metric_of(figure: dict[str, Any]) -> tuple[str, list[str]]:
    """Return which metric a figure is, and of what: slice, rater and label, as far as its id names them."""
    *named, last = figure["id"].split(".")[1:]
    if last not in CLASSES:
        return last, named
    model, prompts, rater = named
    return "label_share", [f"{model}.{prompts}", "label" if rater == "human" else rater, last]


@pytest.fixture(scope="module")
def figures() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text(encoding="utf8"))
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the flat file of all responses."""
    written = tmp_path_factory.mktemp("xstest") / "xstest.csv"
    with written.open("w", encoding="utf8", newline="") as sink:
        writer = csv.DictWriter(sink, [*TEXTS, *RATERS])
        writer.writeheader()
        writer.writerows(flat_rows(items()))
    return written


@pytest.fixture(scope="module")
def data(file: Path) -> Responses:
    found = columns(file, RATERS, TEXTS)
    assert len(ids(found["id"])) == 2_250
    return Responses(found)


def test_words_of_three_classes_need_a_mapping_to_pass(file: Path) -> None:
    """Whether a partial refusal passes is the user's to say: without --map the words are classes, and none passes."""
    found = columns(file, RATERS)
    assert taken(Asked(), [], [found[name] for name in HUMANS]).scale == "nominal"
    with pytest.raises(DataError, match=r"^xstest\.csv, row 2, column 'annotation_1': found 'full_refusal'.*--map"):
        outcomes(found["annotation_1"], "pass-fail", vocabulary())


@pytest.mark.parametrize("metric", METRICS)
def test_every_figure_of_the_source_is_reproduced(metric: str, data: Responses, figures: list[dict[str, Any]]) -> None:
    """Each figure is the one that the source published, or that the reference script gave."""
    wrong = []
    for figure, (name, named) in zip(figures, map(metric_of, figures), strict=True):
        if name == metric and METRICS[metric](data, *named) != pytest.approx(
            figure["value"], abs=figure["tolerance"], rel=0
        ):
            wrong.append((figure["id"], METRICS[metric](data, *named), figure["value"]))
    assert wrong == []


def test_all_figures_of_the_source_are_covered(figures: list[dict[str, Any]]) -> None:
    """Our statistics compute all 111 figures, of which 88 are published."""
    assert Counter(metric_of(figure)[0] for figure in figures) == {
        "human_agreement": 5,
        "fleiss_kappa": 5,
        "label_share": 90,
        "unparsed_verdicts": 2,
        "accuracy_unparsed_is_wrong": 2,
        "cohen_kappa_parsed": 2,
        "refusal_recall_parsed": 2,
        "compliance_recall_parsed": 2,
        "cohen_kappa": 1,
    }
    assert Counter(figure["kind"] for figure in figures) == {"published": 88, "reference": 23}
