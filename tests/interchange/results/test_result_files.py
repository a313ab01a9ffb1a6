"""Files of results: four tools' as they come, and anybody's rows; what is not plainly a pass or a fail is refused."""

import copy
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import AssayError, ConfigError, DataError
from assay.interchange.results.options import options
from assay.interchange.results.registry import read
from assay.records.result import TrialResult, VersionResults
from tests.interchange.results import result_files
from tests.interchange.results.result_files import written


def taken(file: Path, *maps: str, threshold: float | None = None) -> list[TrialResult]:
    """Return the results in a file."""
    return whole(file, *maps, threshold=threshold).results


def whole(file: Path, *maps: str, threshold: float | None = None) -> VersionResults:
    """Return what a file is read as."""
    return read(file, file.name, options(maps, threshold))


def table(folder: Path, text: str, name: str = "rows.csv") -> Path:
    """Write a file of this text."""
    file = folder / name
    file.write_text(text, encoding="utf8")
    return file


def passed(results: list[TrialResult]) -> dict[str, bool | None]:
    """Return the outcomes by case."""
    return {row.case_id: row.passed for row in results}


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("", "no columns"),
        ("id,passed\n", "no result"),
        ("name,passed\na,1\n", "'name', 'passed'"),
        ("id,answer\na,yes\n", "'id', 'answer'"),
        ("id,passed\na,1\n,0\n", "row 3"),
        ("id,passed\na,perhaps\n", "'perhaps'"),
        ("id,score\na,0.73\n", "--threshold"),
        ("id,passed\na,1\nb\n", "row 3"),
        ("id,id,passed\na,b,1\n", "'id'"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path: Path, text: str, quote: str) -> None:
    """What is wrong is quoted with its place; nothing is guessed."""
    with pytest.raises(DataError, match=quote):
        taken(table(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.json", "3"),
        ("a.json", '{"results": 3}'),
        ("a.json", '{"results": {"results": ["x"]}}'),
        ("a.json", '{"results": {"results": []}}'),
        ("a.json", '{"testCases": [7]}'),
        ("a.json", '{"testCases": []}'),
        ("a.json", '{"samples": [], "eval": {}}'),
        ("a.json", '{"samples": [{"epoch": 1}], "eval": {}}'),
        ("a.json", '[{"id": "a", "passed": {"deep": 1}}]'),
        ("a.jsonl", '{"doc_id": 1, "resps": []}\n'),
        ("a.jsonl", '{"doc_id": null, "resps": [], "acc": 1.0}\n'),
        ("a.jsonl", "[1]\n"),
        ("a.parquet", "PAR1 no"),
        ("a.eval", "no archive"),
    ],
)
def test_no_file_of_results_is_an_error_of_ours(tmp_path: Path, name: str, text: str) -> None:
    """A file that is none is refused in a sentence, never in a traceback."""
    with pytest.raises(AssayError, match=r"expected|holds no"):
        taken(table(tmp_path, text, name))


@pytest.mark.parametrize("maps", ["id", "id=", "=a", "who=x", "id=a,id=b", "good=perhaps", "passed=a,passed=b"])
def test_a_map_is_of_a_role_or_a_word(maps: str) -> None:
    """What is neither ROLE=COLUMN nor WORD=OUTCOME is refused."""
    with pytest.raises(ConfigError, match="--map"):
        options([maps])


@pytest.mark.parametrize("maps", ["id=no", "passed=no", "category=no"])
def test_a_mapped_column_is_there(tmp_path: Path, maps: str) -> None:
    """A column that the file lacks is refused by its name."""
    with pytest.raises(DataError, match="'no'"):
        taken(table(tmp_path, "id,passed\na,1\n"), maps)


@pytest.mark.parametrize("header", ["id,passed", "Case_ID,Success", "test_id;verdict", "sample_id\tscore"])
def test_usual_names_are_found(tmp_path: Path, header: str) -> None:
    """Columns are found by their usual names, whatever their case and whatever separates them."""
    mark = next(mark for mark in ",;\t" if mark in header)
    rows = [("a", "1"), ("b", "0"), ("c", "")]
    text = "\n".join([header, *(mark.join(row) for row in rows)])
    assert passed(taken(table(tmp_path, text))) == {"a": True, "b": False, "c": None}


def test_columns_and_words_can_be_told(tmp_path: Path) -> None:
    """The user says which column is what, dotted ones too, and what a word means; a score has a threshold."""
    rows = [
        {"frage": 1, "said": {"urteil": "gut"}, "art": "x", "n": 0.7},
        {"frage": 2.0, "said": {"urteil": "schlecht"}, "n": 0.69},
    ]
    file = written(tmp_path / "rows.jsonl", rows)
    found = taken(file, "id=frage,passed=said.urteil", "category=art", "gut=pass,schlecht=fail")
    assert [(row.case_id, row.passed, row.category) for row in found] == [("1", True, "x"), ("2", False, "")]
    assert passed(taken(file, "id=frage,passed=n", threshold=0.7)) == {"1": True, "2": False}


def test_all_that_a_row_knows_is_kept(tmp_path: Path) -> None:
    """Category, family, layer, verdicts of scorers, cost and latency of a row are those of its result."""
    text = "id,passed,category,parent,layer,judge,cost_usd,latency_ms\na,pass,refunds,seed-1,task,fail,0.002,1500\n"
    (found,) = taken(table(tmp_path, text))
    assert found == TrialResult("a", True, "refunds", "seed-1", "task", {"judge": False}, 0.002, 1.5)


def test_a_row_a_scorer(tmp_path: Path) -> None:
    """Where a column names the scorer, a case passes when all its scorers pass it, each trial by itself."""
    rows = [
        "id,trial,scorer,passed",
        "a,1,tone,1",
        "a,1,facts,0",
        "a,2,tone,1",
        "a,2,facts,1",
        "b,1,tone,1",
        "b,1,facts,",
    ]
    found = taken(table(tmp_path, "\n".join(rows)))
    assert [(row.case_id, row.passed) for row in found] == [("a", False), ("a", True), ("b", None)]
    assert found[0].scorers == {"tone": True, "facts": False}
    untold = taken(table(tmp_path, "id,judge,passed\na,tone,1\na,tone,0"))
    assert [row.passed for row in untold] == [True, False]


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.json", "rows.parquet"])
def test_every_kind_of_file(tmp_path: Path, name: str) -> None:
    """The same rows are read from CSV, JSON Lines, JSON and Parquet; an id again is a further trial."""
    rows = [{"id": "a", "passed": True}, {"id": "a", "passed": False}, {"id": "b", "passed": True}]
    file = tmp_path / name
    if name == "rows.csv":
        table(tmp_path, "id,passed\na,True\na,False\nb,True\n")
    elif name == "rows.parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        written(file, rows)
    assert [(row.case_id, row.passed) for row in taken(file)] == [("a", True), ("a", False), ("b", True)]


def test_promptfoo(tmp_path: Path) -> None:
    """A test of promptfoo is known by its variables; assertions are checks, an error of the provider is no outcome."""
    found = taken(written(tmp_path / "results.json", result_files.promptfoo([True, False, None])))
    assert [row.passed for row in found] == [True, False, None]
    assert found[0].case_id == '{"question": "May I send order 0 back?"}'
    assert (found[0].category, found[0].cost_usd, found[0].latency_s) == ("refunds", 0.0001, 1.2)
    assert found[1].scorers == {"icontains": False, "politeness": True}


@pytest.mark.parametrize(
    "test",
    [{"description": "order 7"}, {"metadata": {"case_id": "order 7"}}, {"metadata": {"id": "order 7"}, "vars": {}}],
)
def test_a_test_of_promptfoo_has_a_name(tmp_path: Path, test: dict[str, Any]) -> None:
    """What its metadata or its description calls it, where it has no variables, is its id."""
    found = taken(written(tmp_path / "a.json", result_files.promptfoo([True], testCase=test, vars={})))
    assert [row.case_id for row in found] == ["order 7"]


def test_promptfoo_of_two_providers_is_two_versions(tmp_path: Path) -> None:
    """Results of several providers are refused with their names, since they are not one version; repeats are trials."""
    results = result_files.promptfoo([True, True])
    results["results"]["results"][1]["provider"] = {"id": "openai:gpt-4.1", "label": "large"}
    with pytest.raises(DataError, match="'large, prompt 0'"):
        taken(written(tmp_path / "a.json", results))
    results["results"]["results"][1] = results["results"]["results"][0] | {"testIdx": 1}
    assert len({row.case_id for row in taken(written(tmp_path / "b.json", results))}) == 1


def test_promptfoo_lines(tmp_path: Path) -> None:
    """Its .jsonl has the same results, one a line."""
    whole_ = result_files.promptfoo([True, False])
    lines = written(tmp_path / "a.jsonl", whole_["results"]["results"])
    assert taken(lines) == taken(written(tmp_path / "a.json", whole_))


@pytest.mark.parametrize("is_packed", [False, True])
def test_inspect(tmp_path: Path, is_packed: bool) -> None:  # noqa: FBT001 - pytest's own way
    """Epochs of inspect are trials; C passes, I and N do not; log and archive say the same."""
    found = result_files.inspect(["C", "I", "N", 1, 0.0], epochs=2)
    file = tmp_path / ("log.eval" if is_packed else "log.json")
    if is_packed:
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("header.json", "{}")
            for one in found["samples"]:
                archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        file.write_bytes(sink.getvalue())
    else:
        written(file, found)
    results = taken(file)
    assert [row.passed for row in results] == [True, False, False, True, False] * 2
    assert [row.case_id for row in results[:2]] == ["1", "2"]
    assert results[0].revision == results[5].revision != results[1].revision
    assert (results[0].category, results[0].latency_s) == ("refunds", 1.5)


def test_inspect_of_several_scorers(tmp_path: Path) -> None:
    """A sample passes when all scorers pass it, or the one that is told; an error is no outcome, nor is no score."""
    found = result_files.inspect(["C", "C", "C"])
    for sample in found["samples"]:
        sample["scores"]["rubric"] = {"value": {"tone": 1, "facts": 0}}
    found["samples"][1]["error"] = {"message": "x"}
    found["samples"][2]["scores"] = None
    file = written(tmp_path / "log.json", found)
    assert [row.passed for row in taken(file)] == [False, None, None]
    assert taken(file)[0].scorers == {"match": True, "rubric.tone": True, "rubric.facts": False}
    assert [row.passed for row in taken(file, "passed=rubric.tone")] == [True, None, None]
    with pytest.raises(DataError, match="'no'"):
        taken(file, "passed=no")


def test_half_right_is_a_score(tmp_path: Path) -> None:
    """What is partially right passes from the threshold that the user tells, and from none by itself."""
    file = written(tmp_path / "log.json", result_files.inspect(["P", "C"]))
    with pytest.raises(DataError, match="--threshold"):
        taken(file)
    assert [row.passed for row in taken(file, threshold=0.6)] == [False, True]


def test_deepeval(tmp_path: Path) -> None:
    """A test case of DeepEval is known by what was asked; metrics are scorers, an error is none."""
    found = taken(written(tmp_path / ".latest_test_run.json", result_files.deepeval([True, False, None])))
    assert passed(found) == {
        "May I send order 0 back?": True,
        "May I send order 1 back?": False,
        "May I send order 2 back?": None,
    }
    assert found[1].scorers == {"Answer Relevancy": False, "Toxicity": True}
    assert (found[0].category, found[0].cost_usd, found[0].latency_s) == ("refunds", 0.0002, 0.8)
    one = taken(written(tmp_path / "b.json", result_files.deepeval([False])), "passed=Toxicity")
    assert one[0].passed


def test_a_named_case_of_deepeval(tmp_path: Path) -> None:
    """A name that somebody gave is the id, in the newer spelling of the fields too."""
    cases = [{"name": "order", "input": "x", "success": True, "metrics_data": []}]
    assert passed(taken(written(tmp_path / "a.json", {"test_results": cases}))) == {"order": True}


def test_lm_eval(tmp_path: Path) -> None:
    """The first filter of lm-eval decides, each of them is a scorer, and the document's hash is the case's content."""
    file = written(tmp_path / "samples_gsm8k.jsonl", result_files.lm_eval([1.0, 1.0, 0.0], "strict-match", "flexible"))
    found = taken(file)
    assert passed(found) == {"0": True, "1": True, "2": False}
    assert found[0].scorers == {"strict-match": True, "flexible": False}
    assert found[0].revision == "doc0"
    assert passed(taken(file, "filter=flexible")) == {"0": False, "1": True, "2": False}
    for maps in ("filter=no", "passed=no"):
        with pytest.raises(DataError, match="'no'"):
            taken(file, maps)


def test_lm_eval_without_names_of_metrics(tmp_path: Path) -> None:
    """An older file, which does not name its metrics, is read by the usual ones; one filter is no scorer."""
    rows = result_files.lm_eval([1.0, 0.0], metric="acc")
    for row in rows:
        del row["metrics"], row["filter"], row["doc_hash"]
    found = taken(written(tmp_path / "samples.jsonl", rows))
    assert passed(found) == {"0": True, "1": False}
    assert found[0].scorers == {}


JUNK: list[Any] = [
    None,
    3,
    -1.5,
    float("nan"),
    float("inf"),
    "",
    "\x00\x1b[2J",
    [],
    {},
    [[[]]],
    {"a": [{}]},
    10**30,
    "1e999",
]


def spoilt(found: Any, rng: random.Random) -> Any:
    """Return a JSON value of which one part, somewhere, is something else."""
    if not isinstance(found, dict | list) or not found or rng.random() < 0.15:
        return rng.choice(JUNK)
    place = rng.choice(list(found) if isinstance(found, dict) else range(len(found)))
    changed = copy.copy(found)
    changed[place] = spoilt(found[place], rng)
    return changed


@pytest.mark.parametrize("name", ["promptfoo.json", "inspect.json", "deepeval.json", "lm_eval.jsonl", "rows.json"])
def test_a_spoilt_file_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    """Whatever stands in the place of any part of a file, it is read or refused in a sentence; 300 seeded ones."""
    rng = random.Random(name)
    sound = {
        "promptfoo.json": result_files.promptfoo([True, False, None]),
        "inspect.json": result_files.inspect(["C", "I"], epochs=2),
        "deepeval.json": result_files.deepeval([True, False, None]),
        "lm_eval.jsonl": result_files.lm_eval([1.0, 0.0], "a", "b"),
        "rows.json": [{"id": "a", "passed": True, "judge": "tone", "trial": 1, "cost": 0.1, "category": "x"}],
    }[name]
    refused = 0
    for _ in range(300):
        found = spoilt(sound, rng)
        if not (isinstance(found, list) or name.endswith(".json")):
            continue
        try:
            taken(written(tmp_path / name, found))
        except AssayError:
            refused += 1
    assert 0 < refused < 300


def test_one_file_has_one_identity(tmp_path: Path) -> None:
    """A copy of a file is the same results, and another file is not."""
    first = whole(table(tmp_path, "id,passed\na,1\n"))
    assert whole(table(tmp_path, "id,passed\na,1\n", "b.csv")).identity == first.identity
    assert whole(table(tmp_path, "id,passed\na,0\n", "c.csv")).identity != first.identity
