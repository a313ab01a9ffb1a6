"""The embedded models over real HTTP, asked as every other model is."""

import asyncio
import json
import math
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import uvicorn
from lexical_facts import JUDGES, items, labels
from openai import AsyncOpenAI

from assay.generation import prompt as generator_prompt
from assay.generation.strategies import Ask
from assay.judges.applicability import ANY_RIGHT
from assay.judges.prompt import Text, load, response_format
from assay.judges.reply import Reply, parse
from assay.models.embedded.__main__ import main
from assay.models.embedded.judges import lexical_judge
from assay.models.embedded.lexical import LexicalJudge, most_likely
from assay.models.embedded.protocol import ChatMessage, ChatRequest, completion
from assay.models.embedded.server import application, embedded_models
from assay.models.embedded.tuning import majority
from assay.records.case import Case, SimulatedUser
from assay.records.category import Category
from assay.records.response import Message
from assay.targets import simulated_user

JUDGE = LexicalJudge.fit(majority(items(), labels(), JUDGES))
GOOD, BAD = "Students get 20 percent off for a year.", "Potato!"
PAIR: dict[str, Text] = {"question": ["Hi", "Discount?"], "reference": GOOD, "response_a": GOOD, "response_b": BAD}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the embedded models on a free port while the tests run."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(application(embedded_models(JUDGE)), log_level="warning", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def ask(url: str, model: str, messages: Any, **request: Any) -> dict[str, Any]:
    """Ask through the openai package; return the reply as JSON."""

    async def call() -> dict[str, Any]:
        async with AsyncOpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client:
            reply = await client.chat.completions.create(model=model, messages=messages, **request)
            return dict(reply.model_dump(mode="json"))

    return asyncio.run(call())


def judged(url: str, judge: str, model: str, **texts: Text) -> Reply:
    """Ask a judge the way the stage does; return what the parser reads."""
    prompt = load(judge)
    reply = ask(
        url,
        model,
        prompt.render(**texts),
        logprobs=True,
        top_logprobs=5,
        temperature=0,
        response_format=response_format(prompt.declared),
    )
    choice = reply["choices"][0]
    logprobs = choice["logprobs"]["content"]
    return parse(prompt.declared, choice["message"]["content"], None, choice["finish_reason"], logprobs)


def test_unknown_model_is_404(url: str) -> None:
    """A model that is not there is OpenAI's model_not_found."""
    with pytest.raises(openai.NotFoundError) as caught:
        ask(url, "gpt-like", [{"role": "user", "content": "hello"}])
    assert caught.value.code == "model_not_found"
    hostile = b'{"model": "\\ud800", "messages": [{"role": "user", "content": "x"}]}'
    assert httpx.post(f"{url}/v1/chat/completions", content=hostile).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"model": "lexical-judge"}',
        b'{"model": "lexical-judge", "messages": []}',
        b'{"model": "lexical-judge", "messages": [{"role": "user", "content": 7}]}',
        b'{"model": "lexical-judge", "messages": [{"role": "user", "content": "x"}], "stream": true}',
        b'{"model": "lexical-judge", "messages": [{"role": "user", "content": "x"}], "n": 2}',
        b'{"model": "lexical-judge", "messages": [{"role": "user", "content": "just a question"}]}',
        b'{"model": "lexical-judge", "messages": [{"role": "user", "content": "<response>\\nx"}]}',
        b'{"model": "lexical-grounding", "messages": [{"role": "user", "content": "just a question"}]}',
        b'{"model": "template-generator", "messages": [{"role": "user", "content": "just a question"}]}',
        b'{"model": "lexical-user", "messages": [{"role": "user", "content": "just a question"}]}',
        b'{"model": "lexical-user", "messages": [{"role": "user", "content": "<goal>\\nx\\n</goal>"}]}',
    ],
)
def test_malformed_requests_are_400(url: str, body: bytes) -> None:
    """What cannot be answered is refused in OpenAI's shape with a sentence, and nothing falls over."""
    reply = httpx.post(f"{url}/v1/chat/completions", content=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"]


def test_models_are_listed(url: str) -> None:
    """The list of models is what can be asked for."""
    listed = httpx.get(f"{url}/v1/models").json()["data"]
    assert [model["id"] for model in listed] == [
        "lexical-grounding",
        "lexical-judge",
        "lexical-user",
        "template-generator",
    ]


def test_pairs_are_judged(url: str) -> None:
    """Prompt, endpoint, parser and log-probabilities fit together: P(A over B) is the judge's own, in both places."""
    there = judged(url, "preference", "lexical-judge", **PAIR)
    back = judged(url, "preference", "lexical-judge", **(PAIR | {"response_a": BAD, "response_b": GOOD}))
    own = JUDGE.compare(GOOD, GOOD, BAD)
    assert (there.outcome, back.outcome) == ("a", "b")
    assert there.probability == pytest.approx(own["A"] + own["tie"] / 2)
    assert back.probability == pytest.approx(1 - (own["A"] + own["tie"] / 2))


def test_answers_are_judged(url: str) -> None:
    """Pass and fail come with the judge's own P(pass)."""
    good = judged(url, "correctness", "lexical-judge", question="Q?", reference=GOOD, response=GOOD)
    bad = judged(url, "correctness", "lexical-judge", question="Q?", reference=GOOD, response=BAD)
    assert (good.outcome, bad.outcome) == ("pass", "fail")
    assert good.probability == pytest.approx(JUDGE.decide(GOOD, GOOD)["pass"])


def test_an_answer_like_any_right_one_passes(url: str) -> None:
    """Of several right answers the one counts that the answer is most like; what they are is none of them."""
    other = "A voucher of 5 euros comes with the first box."
    texts: dict[str, Text] = {"question": "Q?", "reference": [ANY_RIGHT, GOOD, other]}
    verdicts = [
        judged(url, "correctness", "lexical-judge", response=one, **texts) for one in (GOOD, other, BAD, ANY_RIGHT)
    ]
    assert [one.outcome for one in verdicts] == ["pass", "pass", "fail", "fail"]
    assert verdicts[1].probability == pytest.approx(JUDGE.decide(other, other)["pass"])
    pair = JUDGE.compare([GOOD, other], other, BAD)
    assert pair == JUDGE.compare([other, GOOD], other, BAD)
    assert most_likely(pair) == "A"


def test_empty_responses_are_judged(url: str) -> None:
    """A product that said nothing is a judged fault, not an error."""
    assert judged(url, "correctness", "lexical-judge", question="Q?", reference=GOOD, response="").outcome == "fail"


def test_grounding_is_judged(url: str) -> None:
    """The grounding check reads several contexts out of the prompt and answers pass or fail."""
    contexts = ["Refunds take 14 days.", "Boxes come on Monday."]
    texts: dict[str, Text] = {"question": "When?", "contexts": contexts}
    good = judged(url, "grounding", "lexical-grounding", **texts, response="Boxes come on Monday.")
    bad = judged(url, "grounding", "lexical-grounding", **texts, response="Boxes come on Friday with Otto.")
    assert (good.outcome, bad.outcome) == ("pass", "fail")


def test_the_reported_model_is_the_fitted_one(url: str) -> None:
    """What answers says with which coefficients; without logprobs asked for, none are sent."""
    reply = ask(url, "lexical-judge", load("preference").render(**PAIR))
    assert reply["model"] == JUDGE.reported_model
    assert reply["choices"][0]["logprobs"] is None


def test_equal_requests_get_equal_replies(url: str) -> None:
    """Nothing of clock or chance is in a reply."""
    messages = load("preference").render(**PAIR)
    assert ask(url, "lexical-judge", messages) == ask(url, "lexical-judge", messages)


def test_generator_answers_its_prompt(url: str) -> None:
    """The template generator's reply is read without a rejected item; another seed gives other cases."""
    category = Category(
        category="refunds",
        definition="wrong deadlines",
        examples=["How long?"],
        severity="high",
        quota=1,
        owner="payments",
        layer="unit",
    )
    example = Case(
        case_id="refunds-001",
        layer="unit",
        category="refunds",
        turns=["How long can I return </examples> my damaged vegetables for 3 days?"],
        reference="14 days.",
        expectations=[],
        provenance="written",
        parent="",
        owner="payments",
    )
    asked = Ask(way="category", category=category, count=4, examples=[example], existing=[example])
    messages = generator_prompt.render(asked)
    replies = [ask(url, "template-generator", messages, seed=seed) for seed in (1, 1, 2)]
    texts = [reply["choices"][0]["message"]["content"] for reply in replies]
    found = generator_prompt.parse(texts[0], asked)
    assert (len(found.found), found.rejected) == (4, [])
    assert {one.case.parent for one in found.found} == {"refunds-001"}
    assert texts[0] == texts[1] != texts[2]


def test_the_user_answers_its_prompt(url: str) -> None:
    """The lexical user's reply to the prompt of a simulated user is a turn, with and without a conversation."""
    cleo = SimulatedUser(goal="The milk was spilled. Order PL-1042.", persona="", stop="it is refunded", max_turns=3)
    for said in ([], [Message(role="user", content="Hello"), Message(role="assistant", content="Which order?")]):
        reply = ask(
            url, "lexical-user", simulated_user.render(cleo, said), response_format=simulated_user.RESPONSE_FORMAT
        )
        turn = simulated_user.parse(reply["choices"][0]["message"]["content"])
        assert (turn.message in cleo.goal, turn.done, reply["model"]) == (True, False, "lexical-user-1")


def test_without_labels_all_are_served() -> None:
    """A judge that no label has fitted answers under a name that says so."""
    models = embedded_models(LexicalJudge.fit([]))
    assert sorted(models) == ["lexical-grounding", "lexical-judge", "lexical-user", "template-generator"]


def test_top_logprobs_are_sorted_and_cut() -> None:
    """The likeliest alternatives come first, at most as many as were asked for, with finite logarithms."""
    messages = [ChatMessage(role="user", content=load("preference").render(**PAIR)[1]["content"])]
    request = ChatRequest(model="lexical-judge", messages=messages, logprobs=True, top_logprobs=2)
    reply = completion(request, lexical_judge(JUDGE)(request))
    tokens = reply["choices"][0]["logprobs"]["content"]
    top = [alternative["logprob"] for alternative in tokens[-2]["top_logprobs"]]
    assert reply["choices"][0]["message"]["content"] == "".join(token["token"] for token in tokens)
    assert len(top) == 2
    assert top == sorted(top, reverse=True)
    assert all(math.isfinite(token["logprob"]) for token in tokens)


def test_a_request_costs_milliseconds() -> None:
    """Reading, judging and answering a pair takes less than 3 ms of work."""
    messages = [{"role": "user", "content": load("preference").render(**PAIR)[1]["content"]}]
    request = ChatRequest.model_validate({"model": "x", "messages": messages, "logprobs": True, "top_logprobs": 5})
    model = lexical_judge(JUDGE)
    started = time.process_time()
    for _ in range(200):
        json.dumps(completion(request, model(request)))
    assert (time.process_time() - started) / 200 < 0.003


def write(path: Path, rows: list[Any]) -> str:
    """Write records as JSON Lines; return the path as an argument."""
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in rows), encoding="utf-8")
    return str(path)


def test_it_refuses_to_start_with_broken_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files that are none, or only one of the two, end the command with one sentence and exit code 2."""
    arguments = [
        "--items",
        write(tmp_path / "items.jsonl", items()),
        "--labels",
        write(tmp_path / "labels.jsonl", labels()),
    ]
    assert main(["--port", "1", *arguments[:3], str(tmp_path / "none.jsonl")]) == 2
    (tmp_path / "labels.jsonl").write_text('{"item_id": 3}\n', encoding="utf-8")
    assert main(["--port", "1", *arguments]) == 2
    assert "labels.jsonl, row 1" in capsys.readouterr().err
    assert main(["--port", "1", *arguments[:2]]) == 2
    assert "expected both" in capsys.readouterr().err


def test_it_refuses_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A busy or impossible port is a sentence and exit code 2."""
    files = [
        "--items",
        write(tmp_path / "items.jsonl", items()),
        "--labels",
        write(tmp_path / "labels.jsonl", labels()),
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert main(["--port", str(listener.getsockname()[1]), *files]) == 2
    assert main(["--port", "99999", *files]) == 2
    assert capsys.readouterr().err.count("choose another with --port") == 2


@pytest.mark.slow
def test_the_command_serves(tmp_path: Path) -> None:
    """`python -m assay.models.embedded` answers within seconds, says nothing per request, and stops when told to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    arguments = [
        "--items",
        write(tmp_path / "items.jsonl", items()),
        "--labels",
        write(tmp_path / "labels.jsonl", labels()),
    ]
    output = asyncio.run(
        _served([sys.executable, "-m", "assay.models.embedded", "--port", str(port), *arguments], port)
    )
    assert output == b""


async def _served(command: list[str], port: int) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="x", max_retries=8) as client:
            await client.models.list()
    finally:
        process.terminate()
        output, _ = await process.communicate()
    return output
