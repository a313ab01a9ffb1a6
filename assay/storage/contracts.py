"""What each table of data/ promises beyond the types of its rows, as Great Expectations suites.

A suite is code, not a file of the library's own: its files carry new identifiers at every save. The library takes
seconds to import, so that happens in the functions.
"""

import html
import json
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import DataError
from assay.records.record import digest

if TYPE_CHECKING:
    import pandas as pd

Rule = tuple[str, dict[str, Any], str]
"""Name of the expectation, its arguments, and what it means in words."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The promises of one table beyond the types of its rows."""

    table: str
    keys: tuple[str, ...] = ()
    """Columns that name a row; together they may stand once."""
    is_required: bool = False
    """At least one row has to be there."""
    is_categorised: bool = False
    """Has a column `category` that the taxonomy must know."""
    filled: tuple[str, ...] = ()
    """Columns of texts that are never empty."""
    probabilities: tuple[str, ...] = ()
    """Columns of numbers between 0 and 1."""


def rules(contract: Contract, known: list[str]) -> list[Rule]:
    """Return a table's suite; `known` are the categories of the taxonomy."""
    suite: list[Rule] = []
    if contract.is_required:
        suite.append(("ExpectTableRowCountToBeBetween", {"min_value": 1}, "at least one row"))
    if len(contract.keys) == 1:
        suite.append(("ExpectColumnValuesToBeUnique", {"column": contract.keys[0]}, "every id once"))
    elif contract.keys:
        columns = {"column_list": list(contract.keys)}
        suite.append(("ExpectCompoundColumnsToBeUnique", columns, "every combination once"))
    if contract.is_categorised:
        suite.append(
            ("ExpectColumnValuesToBeInSet", {"column": "category", "value_set": known}, "a category of data/taxonomy")
        )
    filled = [{"column": column, "min_value": 1} for column in contract.filled]
    suite += [("ExpectColumnValueLengthsToBeBetween", each, "a value that is not empty") for each in filled]
    for column in contract.probabilities:
        between = {"column": column, "min_value": 0.0, "max_value": 1.0}
        suite.append(("ExpectColumnValuesToBeBetween", between, "a probability"))
    return suite


def version(contract: Contract, known: list[str]) -> str:
    """Return the hash of a table's suite, so that a changed suite checks everything anew."""
    return digest([rules(contract, known)])


def check(contract: Contract, where: str, frame: "pd.DataFrame", known: list[str]) -> None:
    """Hold a table against its suite.

    Args:
        contract: Of the table.
        where: The file, for the message.
        frame: Its rows.
        known: Categories of the taxonomy.

    Raises:
        DataError: Some rows break a rule; the text names the rule and up to five of the rows.
    """
    for breach in breaches(contract.table, frame, rules(contract, known), list(contract.keys)):
        raise DataError(f"{where}: {breach}; correct these rows")


def check_rows(contract: Contract, where: str, rows: Iterable[Mapping[str, Any]], known: Collection[str]) -> None:
    """Hold a table against the same rules row by row, where a library that takes seconds to import is not worth it.

    Args:
        contract: Of the table.
        where: The file, for the message.
        rows: The values of each row by column.
        known: Categories of the taxonomy.

    Raises:
        DataError: A row breaks a rule; the text names it.
    """
    seen: set[object] = set()
    for number, row in enumerate(rows, 1):
        if fault := row_fault(contract, row, known, seen):
            raise DataError(f"{where}, row {number}: {fault}; correct this row")


def row_fault(contract: Contract, row: Mapping[str, Any], known: Collection[str], seen: set[object]) -> str:
    """Return by what one row breaks the rules of its table, so that the others can do without it; empty if by nothing.

    Args:
        contract: Of the table.
        row: The values by column.
        known: Categories of the taxonomy.
        seen: Keys of the rows before; this one's is added.
    """
    key = tuple(row[column] for column in contract.keys)
    if key and key in seen:
        return f"{' + '.join(contract.keys)} {' '.join(map(str, key))[:60]!r} occurs again, expected every one once"
    seen.add(key)
    if contract.is_categorised and row["category"] not in known:
        return f"category is {row['category'][:60]!r}, expected a category of data/taxonomy"
    if empty := [column for column in contract.filled if not row[column]]:
        return f"{empty[0]} is empty, expected a value"
    strange = [column for column in contract.probabilities if row[column] is not None and not 0 <= row[column] <= 1]
    return f"{strange[0]} is {row[strange[0]]}, expected a probability" if strange else ""


def breaches(name: str, frame: "pd.DataFrame", suite: list[Rule], key: list[str]) -> Iterator[str]:
    """Yield each rule of a suite that a table breaks, with up to five of its rows.

    Args:
        name: Of the table.
        frame: Its rows.
        suite: The rules.
        key: Columns that name a row.
    """
    result = _validate(_context(), name, frame, suite, key)
    for outcome, (_, arguments, meaning) in zip(result.results, suite, strict=True):
        if not outcome.success:
            column = arguments.get("column") or " + ".join(arguments.get("column_list", ["rows"]))
            yield f"{column}: {_found(outcome.result)}, expected {meaning}"


def data_docs(tables: Sequence[tuple[Contract, "pd.DataFrame"]], known: list[str], folder: Path) -> Path:
    """Build Great Expectations' own Data Docs of these tables; return the index page.

    The library writes cells into its pages as they are, so they are handed to it escaped. The pages load their styles
    from public hosts, so offline they are plain. Assay's report never uses them.
    """
    context = _context()
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}
    site = {
        "class_name": "SiteBuilder",
        "store_backend": store,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    context.add_data_docs_site(site_name="assay", site_config=site)
    for contract, frame in tables:
        suite, keys = rules(contract, known), list(contract.keys)
        _validate(context, contract.table, frame.map(_markup_free), suite, keys, keep=True)
    context.build_data_docs(site_names=["assay"])
    return folder / "index.html"


def _context() -> Any:  # noqa: ANN401 - the library's own type is not exported
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


def _validate(
    context: Any,  # noqa: ANN401
    table: str,
    frame: "pd.DataFrame",
    suite_rules: list[Rule],
    key: list[str],
    *,
    keep: bool = False,
) -> Any:  # noqa: ANN401
    import great_expectations as gx

    flat = frame.map(_flat) if len(frame) else frame
    asset = context.data_sources.add_or_update_pandas(table).add_dataframe_asset(table)
    batch = asset.add_batch_definition_whole_dataframe("all")
    suite = context.suites.add_or_update(gx.ExpectationSuite(name=table))
    for name, arguments, _ in suite_rules:
        suite.add_expectation(getattr(gx.expectations, name)(**arguments))
    definition = gx.ValidationDefinition(data=batch, suite=suite, name=table)
    form = {"result_format": "COMPLETE", "unexpected_index_column_names": key}
    if keep:
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(name=table, validation_definitions=[context.validation_definitions.add(definition)])
        )
        return checkpoint.run(batch_parameters={"dataframe": flat})
    return definition.run(batch_parameters={"dataframe": flat}, result_format=form)


def _flat(value: object) -> object:
    """Return nested values as JSON text: the library hashes cells."""
    return json.dumps(value, default=str) if isinstance(value, list | dict) else value


def _markup_free(value: object) -> object:
    flat = _flat(value)
    return html.escape(flat) if isinstance(flat, str) else flat


def _found(result: dict[str, Any]) -> str:
    rows = result.get("unexpected_index_list")
    if rows:
        shown = ", ".join(_named(row) for row in rows[:5])
        return f"{len(rows)} rows break the rule ({shown}{', ...' if len(rows) > 5 else ''})"  # noqa: PLR2004
    return f"found {result.get('observed_value')}"


def _named(row: int | dict[str, Any]) -> str:
    """Return a row by its key and value, or by its number in a table without a key."""
    if isinstance(row, int):
        return f"row {row + 1}"
    return " ".join(str(value)[:60] for value in row.values())
