"""Promises of the sample product: its server, its environment, its handbook and its evaluation set."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from assay.records.case import Case, Expectation
from assay.records.category import Category
from examples.support import handbook
from examples.support.cases import load_cases
from examples.support.converse import Outcome, converse
from examples.support.environment import Environment
from examples.support.talk import MalformedRequestError
from examples.support.talk import parse as parse_talk
from examples.support.traffic import generate
from examples.support.version import FOLDER, version

KEY = "correct-horse"
TAXONOMY = Path(__file__).parents[2] / "data" / "taxonomy"
END = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A client of the server in its own process, as a user starts it, with a key."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "examples.support", "--port", str(port)]
    environment = {**os.environ, "SUPPORT_API_KEY": KEY}
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, env=environment, cwd=root) as server:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}/v1", headers={"Authorization": f"Bearer {KEY}"}, trust_env=False
        ) as http:
            _wait(http)
            yield http
        server.terminate()


def _wait(http: httpx.Client) -> None:
    for _ in range(200):
        try:
            http.get("/models")
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not start within 10 seconds")


def ask(http: httpx.Client, **body: Any) -> httpx.Response:
    """Post one chat completion, filling in what a test does not care about."""
    return http.post("/chat/completions", json={"model": "support-1", "messages": user("hi"), **body})


def user(text: str) -> list[dict[str, Any]]:
    """Return a conversation of one user message."""
    return [{"role": "user", "content": text}]


def test_wrong_key_is_401(client: httpx.Client) -> None:
    """A wrong key is refused in OpenAI's error shape, on both addresses."""
    wrong = {"Authorization": "Bearer wrong"}
    for answer in (client.get("/models", headers=wrong), client.post("/chat/completions", headers=wrong, json={})):
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"


def test_unknown_model_is_404(client: httpx.Client) -> None:
    """A model that does not exist is 404 with the code clients look for."""
    answer = ask(client, model="support-9")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 200_000,
        b'{"model": 1}',
        b'{"model": "support-1"}',
        b'{"model": "support-1", "messages": []}',
        b'{"model": "support-1", "messages": ["hi"]}',
        b'{"model": "support-1", "messages": [{"role": "user", "content": 3}]}',
        b'{"model": "support-1", "messages": [{"role": "robot", "content": "hi"}]}',
        b'{"model": "support-1", "messages": [{"role": ["user"], "content": "hi"}]}',
        b'{"model": "support-1", "messages": [{"role": "tool", "content": "{}"}]}',
        b'{"model": "support-1", "messages": [{"role": "user", "content": "hi"}], "tools": 1}',
        b'{"model": "support-1", "messages": [{"role": "user", "content": "hi"}], "stream": true}',
    ],
)
def test_malformed_body_is_400(client: httpx.Client, body: bytes) -> None:
    """Whatever is not a conversation is 400 with a sentence, and never a crash of the server."""
    answer = client.post("/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_unanswered_tool_call_is_malformed() -> None:
    """A tool call whose result was not sent back is refused, not guessed."""
    call = {"id": "c1", "type": "function", "function": {"name": "look_up_order", "arguments": "{}"}}
    messages = [*user("where is PL-1002"), {"role": "assistant", "content": None, "tool_calls": [call]}]
    with pytest.raises(MalformedRequestError, match="tool_call_id"):
        parse_talk(messages, frozenset())


def test_forged_tool_result_is_400(client: httpx.Client) -> None:
    """A tool result that the environment cannot have given is refused, and does not stop the server."""
    environment = Environment()
    messages = user("where is PL-1002")
    call = ask(client, messages=messages, tools=environment.tools).json()["choices"][0]["message"]
    for result in ("{}", '{"status": "delivered", "delivery_date": "soon"}', "no json"):
        forged = {"role": "tool", "tool_call_id": call["tool_calls"][0]["id"], "content": result}
        assert ask(client, messages=[*messages, call, forged], tools=environment.tools).status_code == 400


def test_broken_letters_are_answered(client: httpx.Client) -> None:
    """A lone surrogate in a message that is handed over reaches the summary without breaking the answer."""
    body = json.dumps({"model": "support-1", "messages": user("fraud \ud800"), "tools": Environment().tools})
    answer = client.post("/chat/completions", content=body.encode())
    assert answer.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "escalate"


def test_the_version_is_told_to_who_has_the_key(client: httpx.Client) -> None:
    """The product says which version runs, as its own files have it, and nothing to others."""
    url = client.base_url.join("/version")
    assert client.get(url, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get(url).json() == {"version": version()}


def test_the_version_moves_with_every_part_of_the_product(tmp_path: Path) -> None:
    """Another line of code or article is another version, a renamed article too; the written cases are none of it."""
    product = tmp_path / "support"
    shutil.copytree(FOLDER, product, ignore=shutil.ignore_patterns("__pycache__"))
    versions = [version(), version(product)]
    for name in ("retrieval.py", "vocabulary.yaml", "handbook/allergies.md"):
        (product / name).write_bytes((product / name).read_bytes() + b"\n")
        versions.append(version(product))
    (product / "handbook/allergies.md").rename(product / "handbook/allergy.md")
    versions.append(version(product))
    (product / "traffic.yaml").write_text("")
    versions.append(version(product))
    assert versions[0] == versions[1]
    assert versions[-1] == versions[-2]
    assert len(set(versions)) == 5


def test_both_versions_are_listed(client: httpx.Client) -> None:
    """The list of models names the two versions."""
    assert [model["id"] for model in client.get("/models").json()["data"]] == ["support-1", "support-2"]


def test_tool_loop_over_http(client: httpx.Client) -> None:
    """Over HTTP, a refund is asked about, agreed to, executed by the caller and confirmed."""
    environment = Environment()
    messages: list[dict[str, Any]] = []
    for text in ("The mushroom risotto in order PL-1001 was crushed, refund please.", "yes please"):
        messages += user(text)
        while True:
            answer = ask(client, model="support-2", messages=messages, tools=environment.tools).json()
            message = answer["choices"][0]["message"]
            messages.append(message)
            if answer["choices"][0]["finish_reason"] == "stop":
                break
            for call in message["tool_calls"]:
                result = environment.call(call["function"]["name"], call["function"]["arguments"])
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    assert environment.state()["orders"]["PL-1001"]["refunded_usd"] == 20.8
    assert "$20.80" in messages[-1]["content"]
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + answer["usage"]["completion_tokens"]


def test_contexts_are_quoted_articles(client: httpx.Client) -> None:
    """An answer from the handbook carries the article that its sentences come from."""
    message = ask(client, messages=user("How long is a gift card valid?")).json()["choices"][0]["message"]
    (context,) = message["contexts"]
    assert context.startswith("gift-cards: ")
    assert message["content"] in context


def test_equal_requests_give_equal_answers(client: httpx.Client) -> None:
    """The same request gives the same bytes again, and tools that were not offered are never called."""
    bodies = [ask(client, messages=user("Where is PL-1002?")).content for _ in range(2)]
    assert bodies[0] == bodies[1]
    assert "tool_calls" not in json.loads(bodies[0])["choices"][0]["message"]


def test_environment_starts_afresh() -> None:
    """What one conversation changes is not there in the next, nor through a state that was read."""
    first = Environment()
    first.call("change_delivery", '{"order_id": "PL-1004", "window": "morning"}')
    first.state()["orders"].clear()
    assert first.state()["orders"]["PL-1004"]["window"] == "morning"
    assert Environment().state()["orders"]["PL-1004"]["window"] == "evening"


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("launch_rocket", "{}", "unknown_tool"),
        ("look_up_order", "not json", "bad_arguments"),
        ("look_up_order", "[" * 100_000, "bad_arguments"),
        ("look_up_order", '{"order_id": "\ud800"}', "bad_arguments"),
        ("look_up_order", '{"order_id": "PL-1001", "sql": "1"}', "bad_arguments"),
        ("look_up_order", '{"order_id": "PL-7777"}', "not_found"),
        ("issue_refund", '{"order_id": "PL-1001", "amount_usd": 1e999, "reason": "x"}', "bad_arguments"),
        ("issue_refund", '{"order_id": "PL-1001", "amount_usd": -5, "reason": "x"}', "bad_arguments"),
        ("issue_refund", '{"order_id": "PL-1001", "amount_usd": 40.01, "reason": "x"}', "needs_person"),
        ("issue_refund", '{"order_id": "PL-1001", "amount_usd": 500, "reason": "x"}', "too_much"),
        ("issue_refund", '{"order_id": "PL-1007", "amount_usd": 5, "reason": "x"}', "too_late"),
        ("issue_refund", '{"order_id": "PL-1002", "amount_usd": 5, "reason": "x"}', "not_refundable"),
        ("change_delivery", '{"order_id": "PL-1006", "window": "morning"}', "too_late"),
        ("change_delivery", '{"order_id": "PL-1004", "delivery_date": "2026-11-08"}', "no_delivery_day"),
        ("change_delivery", '{"order_id": "PL-1004", "delivery_date": "2026-11-03"}', "too_soon"),
        ("change_delivery", '{"order_id": "PL-1004", "delivery_date": "2026-11-14"}', "too_far"),
        ("change_delivery", '{"order_id": "PL-1004"}', "nothing_to_change"),
        ("pause_subscription", '{"subscription_id": "SUB-2001", "weeks": 2}', "too_many_pauses"),
        ("pause_subscription", '{"subscription_id": "SUB-2005", "weeks": 13}', "bad_arguments"),
        ("apply_credit", '{"subscription_id": "SUB-2001", "amount_usd": 21, "reason": "x"}', "bad_arguments"),
    ],
)
def test_environment_refuses(name: str, arguments: str, code: str) -> None:
    """Bad calls and broken rules come back as JSON errors and change nothing."""
    environment = Environment()
    assert json.loads(environment.call(name, arguments))["error"]["code"] == code
    assert environment.state() == Environment().state()


def test_refunds_add_up_to_the_limit() -> None:
    """Two refunds of one order are counted together, so the limit cannot be reached in slices."""
    environment = Environment()
    call = '{"order_id": "PL-1001", "amount_usd": 25, "reason": "x"}'
    assert json.loads(environment.call("issue_refund", call))["refunded_usd"] == 25
    assert json.loads(environment.call("issue_refund", call))["error"]["code"] == "needs_person"


def taxonomy() -> dict[str, Category]:
    """Return the categories of data/taxonomy, by name."""
    found = [Category.model_validate(yaml.safe_load(file.read_text("utf-8"))) for file in TAXONOMY.glob("*.yaml")]
    return {category.category: category for category in found}


def test_every_category_is_covered() -> None:
    """Each case belongs to a category of the taxonomy, in its layer, and each category reaches its quota."""
    categories, cases = taxonomy(), load_cases()
    counts = Counter(case.category for case in cases)
    assert all(case.layer == categories[case.category].layer for case in cases)
    assert {name for name, category in categories.items() if counts[name] < category.quota} == set()
    assert len(cases) >= 216
    assert sum(bool(case.reference) for case in cases) >= 140


def test_no_two_cases_ask_the_same() -> None:
    """All cases are different, and none is asked in the words of the traffic."""
    asked = [" ".join(case.turns).lower() for case in load_cases()]
    assert len(set(asked)) == len(asked)
    assert not set(asked) & {trace.question.replace("\n", " ").lower() for trace in generate(seed=1, days=1, end=END)}


@pytest.mark.parametrize(
    ("case_id", "slug"),
    [
        ("numbers-and-dates-005", "holiday-deliveries"),
        ("numbers-and-dates-018", "delivery-windows"),
        ("policy-facts-008", "missing-box"),
        ("policy-facts-012", "account-security"),
        ("allergens-017", "nut-free-and-peanuts"),
    ],
)
def test_references_state_the_handbook(case_id: str, slug: str) -> None:
    """Each number in a sampled reference stands in the article that it comes from."""
    reference = next(case.reference for case in load_cases() if case.case_id == case_id)
    text = next(article.text for article in handbook.articles() if article.slug == slug)
    numbers = re.findall(r"[0-9]+(?:\.[0-9]+)?", reference)
    assert numbers
    assert all(re.search(rf"(?<![0-9]){re.escape(number)}(?![0-9])", text) for number in numbers)


def test_handbook_is_readable() -> None:
    """There are 26 to 30 articles of 80 to 150 words, each with a title."""
    articles = handbook.articles()
    assert 26 <= len(articles) <= 30
    assert all(article.title and 80 <= len(article.text.split()) <= 150 for article in articles)


def holds(expectation: Expectation, outcome: Outcome) -> bool:
    """Decide an expectation by the simplest means, apart from assay's own checks."""
    kind = expectation.check.removeprefix("not-")
    return DECIDE[kind](expectation, outcome) != expectation.check.startswith("not-")


def _called(expectation: Expectation, outcome: Outcome) -> bool:
    def occurs(name: str, arguments: str) -> bool:
        wanted = json.loads(arguments).items()
        return any(call.name == name and wanted <= call.arguments.items() for call in outcome.calls)

    return all(occurs(call.name, call.arguments) for call in expectation.calls)


def _ended(expectation: Expectation, outcome: Outcome) -> bool:
    for value in map(json.loads, expectation.values):
        found: Any = outcome.state
        for part in value["path"].split("."):
            found = found[part]
        if found != value["equals"]:
            return False
    return True


DECIDE: dict[str, Callable[[Expectation, Outcome], bool]] = {
    "icontains-any": lambda ask, got: any(value.lower() in got.text.lower() for value in ask.values),
    "icontains-all": lambda ask, got: all(value.lower() in got.text.lower() for value in ask.values),
    "refusal": lambda _, got: got.is_declined,
    "tool-call": _called,
    "final-state": _ended,
}


def shares(version: str, cases: list[Case]) -> dict[str, float]:
    """Return the share of cases of each category whose expectations all hold."""
    held = defaultdict(list)
    for case in cases:
        outcome = converse(version, case.turns)
        held[case.category].append(all(holds(expectation, outcome) for expectation in case.expectations))
    return {category: sum(several) / len(several) for category, several in held.items()}


def test_second_version_is_better_except_at_handing_over() -> None:
    """support-2 does better in every category but one, and clearly worse at handing over to a person."""
    cases = [case for case in load_cases() if case.expectations]
    first, second = shares("support-1", cases), shares("support-2", cases)
    assert second["escalation"] <= first["escalation"] - 0.3
    better = {category for category in first if second[category] > first[category]}
    assert better == set(first) - {"escalation"}


def test_traffic_follows_the_version() -> None:
    """In the last week, served by support-2, hand-overs fall and repeat contacts of those who needed one rise."""
    traces = generate(seed=3, days=10, end=END)
    assert traces == generate(seed=3, days=10, end=END)
    assert traces[0].at < traces[-1].at < END
    assert len({trace.trace_id for trace in traces}) == len(traces)
    urgent = defaultdict(list)
    for trace in traces:
        if trace.category == "escalation":
            urgent[trace.version].append((trace.escalated, trace.contacted_again))
    rates = {
        version: [sum(column) / len(column) for column in zip(*rows, strict=True)] for version, rows in urgent.items()
    }
    assert rates["support-2"][0] < rates["support-1"][0] - 0.4
    assert rates["support-2"][1] > rates["support-1"][1] + 0.2


@pytest.mark.parametrize(("days", "end"), [(0, END), (3, END.replace(tzinfo=None))])
def test_traffic_refuses_an_unclear_period(days: int, end: datetime) -> None:
    """No days, or an end without a time zone, is refused instead of guessed."""
    with pytest.raises(ValueError, match="expected at least 1 day"):
        generate(seed=1, days=days, end=end)


@pytest.mark.parametrize(
    "text", ["", " " * 50_000, "a" * 50_000, "PL-" * 20_000, "move " * 10_000, "\ud800\u202e{0}%s", "and how " * 9_000]
)
@pytest.mark.parametrize("version", ["support-1", "support-2"])
def test_hostile_text_is_answered_at_once(version: str, text: str) -> None:
    """Long, empty and broken text gets an answer within a second."""
    started = time.process_time()
    talk = parse_talk(user(text), frozenset())
    assert converse(version, [talk.now.text]).text
    assert time.process_time() - started < 1
