"""What the tests of the formats share: cases of any kind, and the way of a file in and out."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from assay.interchange.sets import registry
from assay.interchange.sets.builder import Filling, Reading
from assay.records.case import Case, Expectation, SimulatedUser, ToolCall

FILLING = Filling(category="refunds", layer="unit", owner="payments")
NASTY = [
    *("{{ user }}", "{% if x %}", "file:///etc/passwd", "=1+1", "'=1+1", "''=1+1", "@x", "a\r\nb", "\tx", 'say "no"'),
    *(
        "yes",
        "007",
        "~",
        "null",
        "2026-11-30",
        "1e5",
        "#x",
        "a: b",
        "- a",
        "[1, 2]",
        '{"question": "x"}',
        "é\u2028\x85",
    ),
]
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30).filter(
        str.strip
    ),
)
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?", fullmatch=True)
TOOLS = st.sampled_from(["find_order", "refund", "escalate"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
AMOUNTS = st.sampled_from(["0", "2", "2.5", "0.0001", "30", "999999999"])


def canonical(value: Any) -> str:
    """Return JSON in the spelling that we write."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def expected(check: str, *values: str, calls: tuple[ToolCall, ...] = ()) -> Expectation:
    """Return an expectation."""
    return Expectation(check=check, values=list(values), calls=list(calls))


PLAIN_CALLS = st.builds(
    lambda calls: expected("tool-call", calls=tuple(calls)),
    st.lists(st.builds(ToolCall, name=TOOLS, arguments=OBJECTS.map(canonical)), min_size=1, max_size=3),
)
SAME = st.one_of(
    st.builds(expected, st.sampled_from(["contains", "not-icontains", "starts-with", "equals"]), TEXTS),
    st.builds(lambda check, values: expected(check, *values), st.just("contains-any"), st.lists(TEXTS, min_size=1)),
    st.builds(expected, st.sampled_from(["latency", "not-cost"]), AMOUNTS),
    st.builds(expected, st.sampled_from(["length-min", "length-max"]), st.sampled_from(["0", "80"])),
    st.sampled_from([expected("is-json"), expected("contains-json"), expected("refusal"), expected("not-refusal")]),
    st.just(expected("regex", r"[A-Z]{2}-[0-9]{4}")),
    st.just(expected("json-schema", canonical({"type": "object", "required": ["a"]}))),
    st.builds(
        lambda text, share: expected(
            "similarity", canonical({"measure": "embedding", "reference": text, "threshold": share})
        ),
        TEXTS,
        st.sampled_from([0.5, 1, 0.75]),
    ),
    st.builds(
        lambda mode, names: expected(
            "trajectory", canonical({"mode": mode}), calls=tuple(ToolCall(name=name) for name in names)
        ),
        st.sampled_from(["strict", "sequence"]),
        st.lists(TOOLS, min_size=1, max_size=3),
    ),
    st.builds(
        lambda name, exact: expected(
            "tool-call", *exact, calls=(ToolCall(name=name, arguments=canonical({"order": "PL-1042", "n": 2})),)
        ),
        TOOLS,
        st.sampled_from([[], [canonical({"exact": True})], [canonical({"ignore": ["n"]})]]),
    ),
)
"""Expectations that promptfoo has an assertion for."""
OTHERS = st.sampled_from(
    [
        expected("language", "en"),
        expected("numeric", canonical({"absolute": 0, "equals": 4})),
        expected("final-state", canonical({"path": "orders.PL-1042", "equals": "refunded"})),
        expected("similarity", canonical({"measure": "rouge-l", "reference": "yes", "threshold": 0.5})),
        expected("trajectory", canonical({"mode": "subset"}), calls=(ToolCall(name="refund"),)),
    ]
)
USERS = st.builds(SimulatedUser, goal=TEXTS, persona=TEXTS | st.just(""), stop=TEXTS, max_turns=st.integers(1, 50))
INPUTS = st.dictionaries(st.from_regex(r"[a-z_A-Z0-9]{1,9}", fullmatch=True), JSON, max_size=3)
CASES = st.builds(
    Case,
    case_id=NAMES,
    layer=st.sampled_from(["unit", "task", "production"]),
    category=NAMES,
    turns=st.lists(TEXTS, min_size=1, max_size=3) | st.lists(TEXTS, min_size=1, max_size=1),
    reference=TEXTS | st.just(""),
    expectations=st.lists(SAME | OTHERS | PLAIN_CALLS, max_size=3),
    provenance=st.sampled_from(["written", "generated", "production"]),
    parent=TEXTS | st.just(""),
    owner=TEXTS,
    user=st.none() | USERS,
    inputs=st.just({}) | INPUTS,
    thresholds=st.just({}) | st.dictionaries(NAMES, st.integers(0, 9), max_size=2),
    contexts=st.just([]) | st.lists(TEXTS, max_size=2),
    tags=st.just([]) | st.lists(TEXTS, max_size=2),
    references=st.just([]) | st.lists(TEXTS, max_size=2),
).map(lambda one: one if one.reference else one.model_copy(update={"references": []}))
SETS = st.lists(CASES, min_size=1, max_size=4, unique_by=(lambda one: one.case_id, lambda one: one.revision()))


def save(folder: Path, name: str, content: Any) -> Path:
    """Return a file with this content: bytes, text, JSON Lines for a list under .jsonl, or else JSON."""
    file = folder / name
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif isinstance(content, str):
        file.write_text(content, encoding="utf8", newline="")
    elif file.suffix == ".jsonl":
        file.write_text("".join(f"{json.dumps(row)}\n" for row in content), encoding="utf8")
    else:
        file.write_text(json.dumps(content, indent=1), encoding="utf8")
    return file


def taken(
    folder: Path, name: str, content: Any, *, as_format: str | None = None, filling: Filling = FILLING
) -> Reading:
    """Return what a file of this name and content holds, its format told from the content unless it is named."""
    return registry.read(save(folder, name, content), as_format, filling)
