"""The parts of a run as a reader calls them: which may fail alone, and which the gate's word rests on."""

PARTS = {
    "everything": "the comparison by all scorers",
    "checks": "the comparison by checks alone",
    "judges": "what the judges' certificates are worth",
    "gate": "the gate's word",
    "headline": "the count of failing cases in the first sentence",
    "rates": "the pass rates by category",
    "corrected": "the corrected pass rate",
    "change": "the change of the judged pass rate",
    "pairs": "the win rate",
    "controlled": "the win rate at equal lengths",
    "steadiness": "the steadiness over trials",
    "signals": "production monitoring",
    "traffic": "production traffic",
    "spent": "the ledger of calls",
    "answers": "the answers' latency and endings",
    "newly_failing": "the list of newly failing cases",
    "failing": "the list of failing cases that are not compared",
    "standing": "the list of standing failures",
    "unscored": "the list of cases without an outcome",
    "fixed": "the list of fixed cases",
    "audits": "the audits' questions",
    "flips": "the audit by the same question twice",
    "injected": "the audit by the injection suite",
    "drift": "the drift since the last certificate",
    "anchors": "tonight's row of the anchors",
    "history": "the history of the cases",
    "metrics": "the metrics",
    "slices": "the plot of categories",
    "journal": "the pruning of the journal",
    "archive": "the archive of the run",
    "record": "the record of the run",
    "pruning": "the pruning of old archives",
}
"""By field of the report, by figure of a certificate, or by file."""
ESSENTIAL = ("everything", "checks", "judges", "gate")
"""Without them there is no verdict: the run is incomplete."""
