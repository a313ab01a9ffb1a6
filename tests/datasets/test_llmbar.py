"""LLMBar, 419 pairs judged by 65 judges in both orders: every published figure, out of flat files."""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.interchange.flat_file import SCALES, columns, ids, outcomes, vocabulary
from assay.interchange.flat_scale import Asked, taken
from assay.stats.agreement import cohen, cross_table
from assay.stats.pairs import position_bias
from assay.stats.rates import unscored_bounds, wilson
from tests.datasets.flat_llmbar import COLUMNS, FOLDER, flat_rows, items

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the pairs are not beside the repository")
Numbers = NDArray[np.int64]
A, TIE, B = range(3)
NONE = -1


@dataclass(frozen=True, kw_only=True)
class Run:
    """One judge on some pairs, as class numbers."""

    gold: Numbers
    ab: Numbers
    ba: Numbers

    def instead(self, number: int) -> tuple[Numbers, Numbers]:
        """Return the verdicts of both orders with something in place of the unparsed ones."""
        return np.where(self.ab == NONE, number, self.ab), np.where(self.ba == NONE, number, self.ba)

    def part(self, chosen: NDArray[np.bool_]) -> "Run":
        """Return the run on some of its pairs."""
        return Run(gold=self.gold[chosen], ab=self.ab[chosen], ba=self.ba[chosen])


def accuracy(run: Run, *orders: Numbers) -> float:
    """Return the percentage of right verdicts; an unparsed one counts as wrong, as in the source."""
    gold, said = np.tile(run.gold, len(orders)), np.concatenate(orders)
    right, unscored = int((gold == said).sum()), int((said == NONE).sum())
    return 100 * unscored_bounds(right, len(said) - right - unscored, unscored).worst.estimate


def both_orders(run: Run) -> float:
    """Return the percentage of pairs with the right verdict in both orders."""
    return 100 * wilson(int(((run.ab == run.gold) & (run.ba == run.gold)).sum()), len(run.gold)).estimate


def conflicts(run: Run) -> float:
    """Return the percentage of pairs whose orders differ.

    An unparsed verdict is an outcome of its own in the source; it takes the place of the tie, of which there is none.
    """
    ab, ba = ([SCALES["pairwise"][number] for number in verdicts] for verdicts in run.instead(TIE))
    return 100 * position_bias(ab, ba).conflict.estimate


def positional_kappa(run: Run) -> float:
    """Return the kappa of the two orders; an unparsed verdict counts as response B, as in the source."""
    ab, ba = run.instead(B)
    return cohen(cross_table(ab == B, ba == B, classes=2)).estimate


def first_share(run: Run) -> float:
    """Return the percentage of parsed verdicts that are for the response shown first."""
    first = int((run.ab == A).sum() + (run.ba == B).sum())
    return 100 * wilson(first, 2 * len(run.gold) - unparsed(run)).estimate


def unparsed(run: Run) -> int:
    """Return how many verdicts could not be parsed."""
    return int((run.ab == NONE).sum() + (run.ba == NONE).sum())


METRICS: dict[str, Callable[[Run], float]] = {
    "accuracy_order_AB": lambda run: accuracy(run, run.ab),
    "accuracy_order_BA": lambda run: accuracy(run, run.ba),
    "accuracy_average": lambda run: accuracy(run, run.ab, run.ba),
    "accuracy_both_orders": both_orders,
    "positional_agreement": lambda run: 100 - conflicts(run),
    "positional_kappa": positional_kappa,
    "conflict_rate": conflicts,
    "first_position_share_of_verdicts": first_share,
    "unparsed_verdicts": unparsed,
}


def read(file: Path) -> tuple[Run, NDArray[np.str_]]:
    """Return a judge's run and the categories out of a flat file."""
    found = columns(file, ["label", "verdict", "verdict_ba"], ["id", "category"])
    meanings = vocabulary()
    assert taken(Asked(), [], [found["label"]]).scale == "pairwise"
    assert len(ids(found["id"])) == 419
    gold, ab, ba = (outcomes(found[name], "pairwise", meanings) for name in ("label", "verdict", "verdict_ba"))
    return Run(gold=gold, ab=ab, ba=ba), np.array(found["category"].words)[found["category"].codes]


@pytest.fixture(scope="module")
def pairs() -> list[dict[str, Any]]:
    return items()


@pytest.fixture(scope="module")
def figures() -> dict[str, list[dict[str, Any]]]:
    """Return the expected figures by metric."""
    by_metric = defaultdict(list)
    for figure in json.loads((FOLDER / "expected.json").read_text(encoding="utf8")):
        by_metric[figure["id"].rpartition(".")[2]].append(figure)
    return by_metric


@pytest.fixture(scope="module")
def runs(pairs: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Run]:
    """Return each judge's run on each slice, read back from its flat file."""
    folder, found = tmp_path_factory.mktemp("llmbar"), dict[tuple[str, str], Run]()
    for judge in sorted({one["judge"] for one in pairs[0]["judge_labels"]}):
        file = folder / f"{judge.replace('/', '_')}.csv"
        with file.open("w", encoding="utf8", newline="") as sink:
            writer = csv.DictWriter(sink, COLUMNS)
            writer.writeheader()
            writer.writerows(flat_rows(pairs, judge))
        run, category = read(file)
        found |= {(name, judge): run.part(category == name) for name in np.unique(category)}
        found["all", judge] = run
    return found


def test_a_flat_file_of_either_format_says_the_same(pairs: list[dict[str, Any]], tmp_path: Path) -> None:
    """The pairs of one judge are the same run as JSON Lines, and its unparsed verdicts are counted in both."""
    rows = flat_rows(pairs, "PaLM2/Vanilla_NoRules")
    (tmp_path / "run.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf8")
    (tmp_path / "run.csv").write_text("\n".join([",".join(COLUMNS), *(",".join(row.values()) for row in rows)]))
    (one, first), (other, second) = read(tmp_path / "run.jsonl"), read(tmp_path / "run.csv")
    assert all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("gold", "ab", "ba"))
    assert np.array_equal(first, second)
    assert unparsed(one) == 16


@pytest.mark.parametrize("metric", METRICS)
def test_every_figure_is_reproduced(
    metric: str, runs: dict[tuple[str, str], Run], figures: dict[str, list[dict[str, Any]]]
) -> None:
    """Each judge on each slice has the figure that the source published, or that the reference script gave."""
    wrong = []
    for figure in figures[metric]:
        _, part, judge = figure["id"].removesuffix(f".{metric}").split(".", 2)
        found = METRICS[metric](runs[part, judge])
        if found != pytest.approx(figure["value"], abs=figure["tolerance"], rel=0):
            wrong.append((figure["id"], found, figure["value"]))
    assert wrong == []


def test_all_figures_are_covered(figures: dict[str, list[dict[str, Any]]]) -> None:
    """Our statistics compute all 2,535 figures: six metrics of 325 published and 65 reference runs, three of 65."""
    counts = {metric: Counter(figure["kind"] for figure in found) for metric, found in figures.items()}
    published = {"published": 325, "reference": 65}
    assert counts == {metric: published if place < 6 else {"reference": 65} for place, metric in enumerate(METRICS)}
    assert sum(map(len, figures.values())) == 2_535
