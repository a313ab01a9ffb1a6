"""The product that is a function: it can block, exit or lie, and costs no other case its answer."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import functions
import pytest

from assay.errors import EndpointError
from assay.models.limits import Limits, Price
from assay.models.usage import Meter, metering
from assay.records.case import Case, SimulatedUser
from assay.records.response import Message, Response
from assay.storage import attachments
from assay.targets.open import opened
from assay.targets.settings import PythonSettings
from tests.attached import PDF
from tests.cast import case
from tests.layout import ROOT

HERE = "tests.targets.functions"
LIMITS = Limits(concurrency=16, deadline_s=10)


def play(cases: Sequence[Case], function: str = "answer", *, deadline_s: float = 10, **settings: Any) -> list[Response]:
    """Play cases against a function, all at once."""

    async def played() -> list[Response]:
        limits = LIMITS.model_copy(update={"deadline_s": deadline_s})
        described = PythonSettings(kind="python", name="support", function=f"{HERE}:{function}", **settings)
        async with opened(described, {}, limits=limits) as target:
            return list(await asyncio.gather(*(target.respond(one, 0, "2026-11-02") for one in cases)))

    return asyncio.run(played())


def ask(*texts: str, function: str = "answer", deadline_s: float = 10, **settings: Any) -> list[Response]:
    """Ask all texts at once, each in a case of its own."""
    cases = [case(number, turns=[text]) for number, text in enumerate(texts)]
    return play(cases, function, deadline_s=deadline_s, **settings)


FAULTS = [
    ("exit 3", "crash", "exit code 3"),
    ("segfault", "crash", "signal 11"),
    ("sys.exit 4", "crash", "SystemExit: 4"),
    ("raise no\nway {0} %s \x1b[31m", "crash", "ValueError: no way {0} %s"),
    ("stop", "crash", "StopIteration"),
    ("unsayable", "crash", "UnsayableError: (its text raised RuntimeError)"),
    ("big 9000000", "too-long", "9000002 bytes"),
    ("odd", "malformed", "set"),
    ("nan", "malformed", "no JSON value"),
    ("deep", "malformed", "RecursionError"),
    ("none", "malformed", "None"),
]


def test_every_fault_is_a_row_and_no_other_case_pays_for_it() -> None:
    """Whatever a function does to its process, its case gets one typed row, and all cases beside it their answers."""
    texts = [text for fault, _, _ in FAULTS for text in (fault, f"fine-{fault}")]
    found = ask(*texts)
    for (_, kind, said), one in zip(FAULTS, found[::2], strict=True):
        assert (one.status, one.error_kind) == ("error", kind)
        assert said in one.error
        assert "\n" not in one.error
        assert len(one.error) < 500
    assert [one.status for one in found[1::2]] == ["ok"] * len(FAULTS)
    assert [one.text for one in found[1::2]] == [text.split(" ")[0] for text in texts[1::2]]


def test_an_empty_text_is_an_answer() -> None:
    """A function that returns an empty text has answered: with nothing."""
    (found,) = ask("big 0")
    assert (found.status, found.error_kind, found.text, found.is_silent) == ("ok", "", "", True)


@pytest.mark.parametrize("function", ["answer", "answer_async"])
def test_a_call_that_blocks_is_a_timeout_and_harms_nobody(function: str) -> None:
    """A blocked thread, and even a blocked event loop, costs one case; the cases beside it get their answers."""
    started = time.monotonic()
    found = ask("one", "block 60", "two", "three", function=function, deadline_s=0.5, processes=1)
    assert [one.error_kind for one in found] == ["", "timeout", "", ""]
    assert found[1].error == "no answer within 0.5 s"
    assert time.monotonic() - started < 8


def test_a_function_that_holds_the_interpreter_is_a_timeout() -> None:
    """A process in which no thread can act any more is ended from outside."""
    (found,) = ask("one", function="stuck", deadline_s=0.3, processes=1)
    assert (found.error_kind, found.error) == ("timeout", "no answer within 0.3 s")


def test_a_late_process_is_replaced() -> None:
    """A process with a blocked call takes no new one, ends with its last call, and another takes its place."""

    async def played() -> tuple[set[str], set[str]]:
        described = PythonSettings(kind="python", name="support", function=f"{HERE}:answer", processes=1)
        async with opened(described, {}, limits=LIMITS.model_copy(update={"deadline_s": 0.5})) as target:

            async def say(text: str) -> str:
                return (await target.respond(case(1, turns=[text]), 0, "2026-11-02")).text

            before = {await say("pid")}
            await say("block 60")
            return before, {await say("pid"), await say("pid")}

    before, after = asyncio.run(played())
    assert len(before) == len(after) == 1
    assert before != after
    assert not _is_there(int(before.pop()))


def test_many_coroutines_share_a_process() -> None:
    """Twenty calls that wait take as long as one, on one event loop."""
    started = time.monotonic()
    found = ask(*["nap 0.5"] * 20, function="answer_async", processes=1)
    assert time.monotonic() - started < 8  # one after the other they take ten
    assert [one.status for one in found] == ["ok"] * 20
    assert len({one.text for one in found}) == 20  # every conversation has an identifier of its own


def test_many_blocking_calls_share_a_process() -> None:
    """Plain functions wait beside each other on threads."""
    started = time.monotonic()
    found = ask(*["block 0.5"] * 20, processes=1)
    assert time.monotonic() - started < 8  # one after the other they take ten
    assert {one.error_kind for one in found} == {"malformed"}  # time.sleep returns None


def test_the_conversation_so_far_is_handed_over() -> None:
    """Each turn is called with all that was said, and a function that wants no context gets none."""
    (found,) = play([case(1, turns=["one", "two"])], "remember")
    assert found.text == "user: one / assistant: user: one / user: two"
    assert [message.role for message in found.messages] == ["user", "assistant"] * 2


def test_context_is_given_to_who_takes_it() -> None:
    """The identifier, the trial and what the case gives are named to a function that asks for them."""
    assert ask("hello")[0].contexts == ["['attachments', 'contexts', 'conversation_id', 'inputs', 'trial']"]


def test_files_are_given_to_who_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that takes `attachments` has name, type and content of each; three megabytes are no fault."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pdf").write_bytes(PDF + b"\0" * 3_000_000)
    one = attachments.identify(tmp_path / "a.pdf", "here")
    attachments.keep({one: tmp_path / "a.pdf"})
    size = len(b64encode((tmp_path / "a.pdf").read_bytes()))
    (found,) = play([case(1, attachments=[one])], "attached", deadline_s=20, root=str(ROOT))
    assert found.text == str([("a.pdf", "application/pdf", size)])


def test_neither_output_nor_input_of_the_function_is_the_protocol_s() -> None:
    """What the function prints is dropped, its input is empty, and what it writes into our pipe costs itself alone."""
    noisy, reading, forging, fine = ask("hello", "read", "forge", "fine", processes=1, deadline_s=2)
    assert (noisy.text, reading.text, fine.text) == ("hello", "read ''", "fine")
    assert forging.error_kind in {"crash", "timeout"}


def test_hostile_texts_come_through() -> None:
    """A megabyte there and back, and half characters replaced by what a file can hold."""
    text = "x" * 1_000_000 + "\x00{0}%s\u202e"
    long, half, big = ask(text, "surrogate", "big 8000000")
    assert (long.text, half.text, len(big.text)) == (text, "half \ufffd", 8_000_000)
    assert half.model_dump_json().encode()


class Scripted:
    """A user who says one more thing and leaves."""

    fingerprint = "user-scripted"

    async def next(self, who: SimulatedUser, said: list[Message]) -> str | None:
        """Say the goal after the first answer."""
        return who.goal if len(said) == 2 else None


def test_a_simulated_user_talks_to_a_function() -> None:
    """After the scripted turns the user goes on, whatever kind of product it is."""
    cleo = SimulatedUser(goal="My order is PL-1042.", persona="", stop="it is refunded", max_turns=5)

    async def played() -> Response:
        described = PythonSettings(kind="python", name="support", function=f"{HERE}:remember", processes=1)
        async with opened(described, {}, limits=LIMITS, user=Scripted()) as target:
            return await target.respond(case(1, turns=["one"], user=cleo), 0, "2026-11-02")

    found = asyncio.run(played())
    assert found.text == "user: one / assistant: user: one / user: My order is PL-1042."
    assert found.target.endswith("+user-scripted")


@pytest.mark.parametrize("function", ["no_such", "NOT_A_FUNCTION"])
def test_a_function_that_is_none_ends_the_run(function: str) -> None:
    """What cannot be loaded is told once, with what was found."""
    with pytest.raises(EndpointError, match=f"{function} cannot be loaded"):
        ask("hello", function=function)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("raise RuntimeError('no {0}')", "RuntimeError: no"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import os; os._exit(3)", "ended before it was ready"),
        ("print('answer: (", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_loaded_ends_the_run(
    source: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens while the module is imported, it is told in one sentence and nothing is left running."""
    (tmp_path / "broken_product.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")

    async def played() -> None:
        described = PythonSettings(kind="python", name="support", function="broken_product:answer")
        async with opened(described, {}, limits=LIMITS):
            """Nothing is asked."""

    with pytest.raises(EndpointError, match=found):
        asyncio.run(played())


def test_the_version_and_the_source_are_the_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit of the function's file, or another declared version, is another target."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")

    def fingerprint(source: str, **settings: Any) -> str:
        (tmp_path / "my_product.py").write_text(source)

        async def read() -> str:
            described = PythonSettings(kind="python", name="support", function="my_product:answer", **settings)
            async with opened(described, {}, limits=LIMITS) as target:
                return target.fingerprint

        return asyncio.run(read())

    source = "__version__ = '1.2'\ndef answer(messages): return 'hi'\n"
    found = [fingerprint(source), fingerprint(source + "# edited\n"), fingerprint(source, version="9")]
    assert [one.rpartition("-")[0] for one in found] == ["support@1.2", "support@1.2", "support@9"]
    assert len(set(found)) == 3
    assert fingerprint(source) == found[0]
    assert fingerprint("def answer(messages): return 'hi'\n").startswith("support@my_product:answer-")


def test_tokens_are_paid_for() -> None:
    """A call counts on the meter, at the declared price for what the function says it used."""
    meter = Meter()
    price = Price(prompt_usd_per_million=1.0, completion_usd_per_million=2.0)

    async def played() -> None:
        described = PythonSettings(kind="python", name="support", function=f"{HERE}:answer")
        async with opened(described, {}, limits=LIMITS.model_copy(update={"price": price})) as target:
            await target.respond(case(1, turns=["hello"]), 0, "2026-11-02")

    with metering(meter):
        asyncio.run(played())
    assert (meter.requests, meter.cost_usd) == (1, 0.0)


PARENT = """
import asyncio, sys
from assay.targets.product_code import ProductSource
from assay.targets.workers import Workers

async def main():
    workers = Workers(ProductSource(sys.argv[1], "."), processes=2, deadline_s=60, max_bytes=1000)
    await workers.open()
    asked = [{"role": "user", "content": "block 60"}], {"conversation_id": "x"}
    blocked = [asyncio.ensure_future(workers.call(*asked)) for _ in range(2)]
    await asyncio.sleep(0.5)
    print(" ".join(str(one._process.pid) for one in workers._all), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("function", ["answer", "answer_async", "stuck"])
def test_no_process_outlives_assay(function: str) -> None:
    """When Assay is killed outright, its processes end, even those whose interpreter is held."""
    command = [sys.executable, "-c", PARENT, f"{HERE}:{function}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as parent:
        assert parent.stdout
        pids = [int(one) for one in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while any(map(_is_there, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(pids) == 2
    assert not [pid for pid in pids if _is_there(pid)]


def _is_there(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has buried yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_functions_are_the_ones_of_this_file() -> None:
    """The module that the processes load is the one beside this test."""
    assert functions.__file__ == str(Path(__file__).with_name("functions.py"))
    assert json.dumps(functions.__version__) == '"3.1"'
