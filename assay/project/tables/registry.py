"""Every table of data/ by its name, for commands that look at all of them; a stage imports its own tables alone."""

from typing import Any

from assay.project.table import Table
from assay.project.tables.anchors import NIGHTS, SEEN
from assay.project.tables.candidates import CANDIDATES
from assay.project.tables.decisions import BATCHES, DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.excluded import PAST
from assay.project.tables.history import HISTORY
from assay.project.tables.labels import ANSWERS, DRAWS, FRAMES, ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.traces import TRACES
from assay.project.tables.verdicts import VERDICTS

_ALL: tuple[Table[Any], ...] = (
    *(DECISIONS, BATCHES, ANSWERS, PAST, ITEMS, LABELS, DRAWS, FRAMES, BASELINE, TRACES),
    *(CANDIDATES, CASES, RESPONSES, VERDICTS, SIGNALS, SEEN, HISTORY, NIGHTS),
)
TABLES: dict[str, Table[Any]] = {table.name: table for table in _ALL}
