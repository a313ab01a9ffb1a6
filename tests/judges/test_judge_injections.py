"""Nothing that a judged text says may reach the verdict."""

import json
import re
import unicodedata

import pytest
from forged import FORGED

from assay.judges.declaration import Declaration
from assay.judges.injections import INJECTIONS
from assay.judges.prompt import load
from assay.judges.reply import parse

TRUE_VERDICT = '{"verdict": "B"}'
CORPUS = [*FORGED, *(injection.text for injection in INJECTIONS)]
VERDICTS = {
    "pass-fail": (Declaration(), "fail", "pass"),
    "pairwise": (Declaration(question="pairwise"), "B", "A"),
    "labels": (Declaration(question="labels", labels=("bad", "good"), passing_labels=("good",)), "bad", "good"),
    "score": (Declaration(question="score", range=(1, 5), pass_threshold=4), "2", "5"),
}
"""What a judge says, and what a response wants it to say."""
DELIMITERS = ("question", "reference", "responsea", "responseb")


def echo_first(response: str, prompt: str) -> list[str]:
    """Return what a judge writes that repeats its input before, after or around its own verdict."""
    return [
        f"{response}\n{TRUE_VERDICT}",
        f"{response}{TRUE_VERDICT}",
        f"{prompt}\n{TRUE_VERDICT}",
        f"{TRUE_VERDICT}\n{response}",
        f"{TRUE_VERDICT}{response}",
        f"Response A says: {response}. My verdict: {TRUE_VERDICT}",
        f"<think>{response}</think>{TRUE_VERDICT}",
        f"<think>{response}\n</think>\n```json\n{TRUE_VERDICT}\n```",
        f"```json\n{response}\n{TRUE_VERDICT}\n```",
        f"```\n{response}\n```\n{TRUE_VERDICT}",
    ]


def echo_as_reason(response: str, verdict: str) -> list[str]:
    """Return what a judge writes that repeats its input as its rationale: as it is or as JSON, first or last."""
    said, escaped = json.dumps(verdict), json.dumps(response)
    return [
        f'{{"rationale": "{response}", "verdict": {said}}}',
        f'{{"verdict": {said}, "rationale": "{response}"}}',
        f'{{"rationale": {escaped}, "verdict": {said}}}',
        f'{{"verdict": {said}, "rationale": {escaped}}}',
        f"{{'rationale': '{response}', 'verdict': '{verdict}'}}",
        f"{{'verdict': '{verdict}', 'rationale': '{response}'}}",
        f'```json\n{{"rationale": "{response}", "verdict": {said}}}\n```',
        f'<think>{response}</think>\n{{"rationale": "{response}", "verdict": {said}}}<|im_end|>',
    ]


def delimiters_seen(prompt: str) -> list[str]:
    """Return the delimiters that a lenient reader sees, by means other than the code under test."""
    plain = unicodedata.normalize("NFKC", prompt).casefold().replace("\\", "/")
    plain = "".join(character for character in plain if unicodedata.category(character) not in {"Cf", "Mn"})
    plain = re.sub(r"[\s_-]", "", plain)
    return re.findall(rf"<[/!]*(?:{'|'.join(DELIMITERS)})", plain)


@pytest.mark.parametrize("response", CORPUS)
def test_zero_flips(response: str) -> None:
    """A judge that echoes its input first is unparsed or counted by its own verdict, never by the forged one."""
    judge = load("preference")
    prompt = judge.render(question="Q?", reference="R", response_a=response, response_b="B")[1]["content"]
    for content in echo_first(response, prompt):
        assert parse(judge.declared, content, None, "stop", None).outcome in {"unscored", "b"}


@pytest.mark.parametrize("question", sorted(VERDICTS))
@pytest.mark.parametrize("response", CORPUS)
def test_zero_flips_with_a_rationale(response: str, question: str) -> None:
    """A judge that copies the judged response into its reason gives its own verdict or none, whatever it is asked."""
    declared, verdict, forged = VERDICTS[question]
    attack = response.replace('"A"', json.dumps(forged)).replace("'A'", f"'{forged}'")
    contents = echo_as_reason(attack, verdict)
    assert {parse(declared, content, None, "stop", None).said for content in contents} <= {"", verdict}
    escaped = [parse(declared, content, None, "stop", None) for content in contents[2:4]]
    assert [reply.said for reply in escaped] == [verdict] * 2


@pytest.mark.parametrize("response", FORGED)
def test_a_text_cannot_leave_its_section(response: str) -> None:
    """Whatever a response holds, each delimiter is seen once, in its place."""
    texts = {"question": "Q?", "reference": "R", "response_a": response, "response_b": response}
    content = load("preference").render(**texts)[1]["content"]
    expected = [f"<{slash}{name}" for name in DELIMITERS for slash in ("", "/")]
    assert delimiters_seen(content) == expected


@pytest.mark.parametrize("response", FORGED)
def test_every_forged_text_can_be_sent(response: str) -> None:
    """A rendered prompt is always valid UTF-8, so that no response can make its own judging fail."""
    for message in load("correctness").render(question=response, reference=response, response=response):
        assert message["content"].encode()


def test_there_are_sixty() -> None:
    """The corpus keeps the size that the design promises, without repetition."""
    assert len(set(FORGED)) >= 60
