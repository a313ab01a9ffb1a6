"""The support assistant of Pantry Lane, in two versions.

It is a program of rules and retrieval, not a language model: the same messages give the same answer in every process.
A version is a list of steps; the first step that has a reply gives it. `Support1` looks for reasons to hand over to a
person before it does anything else. `Support2` understands more, remembers what was said, asks before it refunds, and
searches the handbook first, to answer faster; it looks for reasons to hand over only when the handbook has no answer.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from examples.support import desk, handbook, limits, wording
from examples.support.environment import REFUND_LIMIT_USD
from examples.support.reply import Reply, call
from examples.support.retrieval import Bm25, Found, WordOverlap
from examples.support.talk import Talk
from examples.support.world import TODAY

Step = Callable[[Talk], Reply | None]
EVIDENCE = 2.6
"""Weight of the stems that an article must share with a question before `Support2` quotes it."""
COVERAGE = 0.17
"""Share of the question's weight that these stems must be."""
MOSTLY = 0.55
"""Share of a short question's weight that is enough by itself."""
MOST_QUESTIONS = 3


class Assistant(Protocol):
    """Something that answers a conversation or asks for a tool call."""

    def reply(self, talk: Talk) -> Reply:
        """Return the answer to the last turn, or the next tool call."""
        ...


def first(steps: tuple[Step, ...], talk: Talk) -> Reply:
    """Return the reply of the first step that has one."""
    for step in steps:
        reply = step(talk)
        if reply:
            return reply
    return Reply(text=limits.UNSURE)


def conclude(talk: Talk) -> Reply | None:
    """Close a turn in which the conversation was handed over."""
    done = talk.now.call("escalate")
    return limits.handed_over(done) if done else None


class Support1:
    """Reads the current message only, counts shared words, acts at once."""

    def __init__(self) -> None:
        """Index the handbook by words."""
        self._search = WordOverlap(handbook.articles())
        self._steps: tuple[Step, ...] = (conclude, limits.decline_few, limits.hand_over, self._act, self._answer)

    def reply(self, talk: Talk) -> Reply:
        """Return the answer to the last turn, or the next tool call."""
        return first(self._steps, talk)

    def _act(self, talk: Talk) -> Reply | None:
        text = talk.now.text
        wish = desk.Wish(
            kind=desk.kind(text) or "status",
            order_id=wording.exact_order(text),
            subscription_id=wording.subscription(text),
            day=wording.plain_day(text, TODAY),
            window=wording.window(text),
            weeks=wording.plain_weeks(text),
            meals=tuple(wording.meals(text)),
        )
        if wish.subscription_id and wish.weeks and "pause_subscription" in talk.tools:
            return desk.pause(talk, wish.subscription_id, wish.weeks)
        if not wish.order_id or "look_up_order" not in talk.tools:
            return None
        if wish.kind == "move" and (wish.day or wish.window):
            return desk.move(talk, wish)
        return self._with_order(talk, wish)

    def _with_order(self, talk: Talk, wish: desk.Wish) -> Reply | None:
        looked = talk.now.call("look_up_order")
        if looked is None:
            return call("look_up_order", order_id=wish.order_id)
        order = looked.result or {}
        if looked.error:
            return desk.say_error(looked)
        if wish.kind == "refund":
            usd = desk.amount(order, wish) or float(order["total_usd"])
            return desk.say_not_refundable(order) or desk.refund(talk, wish, order, usd)
        if wish.kind == "pause" and wish.weeks:
            return desk.pause(talk, str(order["subscription_id"]), wish.weeks)
        return desk.say_order(order)

    def _answer(self, talk: Talk) -> Reply | None:
        found = self._search.find(talk.now.text)
        return Reply(text=found.quote, contexts=(found.article.context,)) if found else None


class Support2:
    """Reads the whole conversation, weighs stems, answers every question of a message, asks before it refunds."""

    def __init__(self) -> None:
        """Index the handbook by stems."""
        self._search = Bm25(handbook.articles())
        self._steps: tuple[Step, ...] = (conclude, limits.decline_many, self._act, self._answer, limits.hand_over)

    def reply(self, talk: Talk) -> Reply:
        """Return the answer to the last turn, or the next tool call."""
        return first(self._steps, talk)

    def _act(self, talk: Talk) -> Reply | None:
        wish = read(talk)
        if not wish.kind or "look_up_order" not in talk.tools:
            return None
        if wish.kind == "pause" and wish.subscription_id:
            return desk.pause(talk, wish.subscription_id, wish.weeks) if wish.weeks else Reply(text=desk.ASK_WEEKS)
        if not wish.order_id:
            return Reply(text=desk.ASK_ORDER)
        if wish.kind == "move":
            return desk.move(talk, wish) if wish.day or wish.window else Reply(text=desk.ASK_DAY)
        return self._with_order(talk, wish)

    def _with_order(self, talk: Talk, wish: desk.Wish) -> Reply:
        looked = talk.now.call("look_up_order")
        if looked is None:
            return call("look_up_order", order_id=wish.order_id)
        order = looked.result or {}
        if looked.error:
            return desk.say_error(looked)
        if wish.kind == "refund":
            return desk.say_not_refundable(order) or self._refund(talk, wish, order)
        if wish.kind == "pause":
            subscription = str(order["subscription_id"])
            return desk.pause(talk, subscription, wish.weeks) if wish.weeks else Reply(text=desk.ASK_WEEKS)
        return desk.say_order(order)

    def _refund(self, talk: Talk, wish: desk.Wish, order: dict[str, Any]) -> Reply:
        usd = desk.amount(order, wish)
        names = ", ".join(item["name"] for item in order["items"])
        if not usd:
            return Reply(text=f"I'm sorry to hear that. {desk.ASK_MEAL} {names}.")
        if usd > REFUND_LIMIT_USD or consents(talk):
            return desk.refund(talk, wish, order, usd)
        what = "the whole order" if wish.whole else ", ".join(wish.meals)
        return Reply(text=f"I'm sorry to hear that. I can refund ${usd:.2f} for {what}. {desk.ASK_CONSENT}")

    def _answer(self, talk: Talk) -> Reply | None:
        found = [self._find(part) for part in wording.questions(talk.now.text)[:MOST_QUESTIONS]]
        answers = list({hit.quote: hit for hit in found if hit}.values())
        if not answers:
            return None
        text = " As for your other question: ".join(hit.quote for hit in answers)
        return Reply(text=text, contexts=tuple(dict.fromkeys(hit.article.context for hit in answers)))

    def _find(self, question: str) -> Found | None:
        found = self._search.find(question)
        if found is None:
            return None
        is_enough = found.coverage >= MOSTLY or (found.evidence >= EVIDENCE and found.coverage >= COVERAGE)
        return found if is_enough else None


def consents(talk: Talk) -> bool:
    """Say whether the customer has just agreed to what the assistant proposed."""
    return desk.ASK_CONSENT in talk.last_answer and bool(wording.YES.search(talk.now.text))


def read(talk: Talk) -> desk.Wish:
    """Read what the customer wants from the whole conversation, newest words first."""
    texts = talk.texts
    follows_up = any(question in talk.last_answer for question in desk.OPEN_QUESTIONS)
    if follows_up and wording.NO.search(talk.now.text):
        follows_up, texts = False, texts[:1]
    order_id = next((number for text in texts if (number := wording.loose_order(text))), "")
    heard = texts if follows_up else texts[:1]
    return desk.Wish(
        kind=_kind(talk, order_id, follows_up=follows_up),
        order_id=order_id,
        subscription_id=next((number for text in texts if (number := wording.subscription(text))), ""),
        day=next((day for text in heard if (day := wording.spoken_day(text, TODAY))), None),
        window=next((window for text in heard if (window := wording.window(text))), ""),
        weeks=next((weeks for text in heard if (weeks := wording.spoken_weeks(text))), None),
        meals=tuple(next((meals for text in heard if (meals := wording.meals(text))), [])),
        whole=any(wording.WHOLE.search(text) for text in heard),
    )


def _kind(talk: Talk, order_id: str, *, follows_up: bool) -> desk.Kind:
    now = talk.now.text
    if follows_up:
        return next((kind for text in talk.texts if (kind := desk.kind(text)) and kind != "status"), "status")
    named = wording.loose_order(now) or wording.subscription(now)
    if named:
        return desk.kind(now) or "status"
    if order_id and desk.names_own(now):
        return desk.kind(now) or "status"
    return desk.kind(now) if order_id or desk.is_request(now) else ""


VERSIONS: dict[str, Callable[[], Assistant]] = {"support-1": Support1, "support-2": Support2}


@cache
def assistant(version: str) -> Assistant:
    """Return the assistant of a version; KeyError for a version that does not exist."""
    return VERSIONS[version]()
