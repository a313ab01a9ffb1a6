"""Files of results of any tool: a closed list, told by what is in the file, and the one door `read`."""

import hashlib
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from assay.errors import ConfigError, DataError
from assay.interchange.results import columns, deepeval_results, inspect_results, lm_eval_results, promptfoo_results
from assay.interchange.results.options import ResultOptions
from assay.interchange.sets.source import MOST_BYTES, Source, load
from assay.records.result import TrialResult, VersionResults
from assay.text import one_line

PARQUET = ".parquet"
MOST_UNPACKED = 1_000_000_000
"""Bytes of a Parquet file's columns at most, as it declares them."""
BASIS = "as the file has it"
"""Nobody knows who judged, and whether people ever did."""


class ResultFormat(Protocol):
    """What a module of this package offers."""

    NAME: str

    def recognises(self, found: Source) -> bool:
        """Say whether a file looks as if this tool had written it."""

    def results(self, found: Source, told: ResultOptions) -> list[TrialResult]:
        """Return one result a case and trial."""


FORMATS: MappingProxyType[str, ResultFormat] = MappingProxyType(
    {one.NAME: one for one in (inspect_results, promptfoo_results, deepeval_results, lm_eval_results)}
)


def read(file: Path, name: str, told: ResultOptions) -> VersionResults:
    """Return the results in a file.

    Args:
        file: JSON, JSON Lines, CSV, Parquet or an `.eval` archive.
        name: What sentences call it.
        told: What the user tells of it.

    Raises:
        ConfigError: It cannot be read.
        DataError: It is malformed, holds no result, or says not plainly what passed.
    """
    found = _parquet(file) if file.suffix.lower() == PARQUET else load(file)
    tool = next((one for one in FORMATS.values() if one.recognises(found)), None)
    if tool is None and found.kind != "rows":
        raise DataError(
            f"{found.name} is neither rows of results nor a file of {', '.join(FORMATS)}, expected one of these: "
            "export it as CSV or JSON Lines"
        )
    results = tool.results(found, told) if tool else columns.results(found.rows, found.name, told)
    if not results:
        raise DataError(f"{found.name} holds no result, expected one a case: export it again")
    return VersionResults(
        name=name,
        source=f"{f'results of {tool.NAME}' if tool else 'rows'}, {len(results):,} results",
        identity=hashlib.sha256(file.read_bytes()).hexdigest(),
        basis=BASIS,
        results=results,
    )


def _parquet(file: Path) -> Source:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise DataError(f"{file.name} has {size:,} bytes, expected at most {MOST_BYTES:,}: split it")
        with pq.ParquetFile(file, page_checksum_verification=True) as found:
            groups = range(found.metadata.num_row_groups)
            if (unpacked := sum(found.metadata.row_group(at).total_byte_size for at in groups)) > MOST_UNPACKED:
                raise DataError(
                    f"{file.name} unpacks to {unpacked:,} bytes, expected at most {MOST_UNPACKED:,}: split it"
                )
            rows = found.read().to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(
            f"{file.name} cannot be read ({one_line(error)}), expected a whole Parquet file: correct the path, or copy "
            "it again"
        ) from error
    return Source(name=file.name, kind="rows", rows=[(f"row {number}", row) for number, row in enumerate(rows, 1)])
