"""What the assistant does with orders: look up, move, refund, pause, in one or several tool calls.

Both versions share what a finished tool call means in words (`say_*`); how they get there differs, see `assistant`.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from examples.support import wording
from examples.support.environment import REFUND_DAYS, REFUND_LIMIT_USD
from examples.support.limits import escalate
from examples.support.reply import Reply, call
from examples.support.talk import Call, Talk
from examples.support.world import TODAY, WINDOWS

Kind = Literal["status", "refund", "move", "pause", ""]

REFUND = re.compile(
    r"refund|money back|(amount|price|sum) back|reimburse|"
    r"damaged|broken|smashed|crushed|leak|spoil|rotten|mou?ldy|missing|wasn't in|not in the box|"
    r"never (came|arrived|showed|turned)|went off",
    re.IGNORECASE,
)
MOVE = re.compile(
    r"\b(move|moved|reschedule|postpone|push|switch|shift|change|bring|swap|deliver(ed)?|come)\b.{0,60}"
    r"\b(delivery|box|order|day|date|slot|window|pl-|to|on|instead|morning|afternoon|evening|\w+day)\b",
    re.IGNORECASE | re.DOTALL,
)
PAUSE = re.compile(r"\b(pause|on hold|freeze|suspend)\b", re.IGNORECASE)
STATUS = re.compile(
    r"\b(where|status|track|eta|when|arriv\w*|coming|shipped|on its way|"
    r"late|update|happen\w*|what's in|what is in|contains?)\b",
    re.IGNORECASE,
)
OWN = r"(my|our) (\w+ )?(order|box|delivery|package|parcel|subscription)"
SEARCHING = re.compile(rf"\b(where|when|track|status)\b.{{0,20}}\b{OWN}\b", re.IGNORECASE)
ORDERING = re.compile(
    rf"\b(i want|i need|i'd like|i would like|please|can you|could you)\b.{{0,40}}\b(refund|money back|{OWN})\b|"
    rf"^(move|reschedule|change|pause|postpone|refund) {OWN}\b|\bfrom {OWN}\b",
    re.IGNORECASE,
)
"""What makes a message without an order number a request about the customer's own order, not a question of rules."""

ASK_ORDER = "Could you give me the order number? It starts with PL and is in your confirmation e-mail."
ASK_DAY = "Which day would you like? We deliver from Tuesday to Saturday."
ASK_WEEKS = "For how many weeks would you like to pause, from 1 to 12?"
ASK_MEAL = "Which meal is it about? I can see"
ASK_CONSENT = "Shall I go ahead?"
OPEN_QUESTIONS = (ASK_ORDER, ASK_DAY, ASK_WEEKS, ASK_MEAL, ASK_CONSENT)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a customer wants done, as far as it was said; empty or None is what was not."""

    kind: Kind
    order_id: str
    subscription_id: str = ""
    day: date | None = None
    window: str = ""
    weeks: int | None = None
    meals: tuple[str, ...] = ()
    whole: bool = False


def kind(text: str) -> Kind:
    """Return what a text asks to be done with an order or subscription."""
    if PAUSE.search(text):
        return "pause"
    if REFUND.search(text):
        return "refund"
    if MOVE.search(text):
        return "move"
    return "status" if STATUS.search(text) else ""


def names_own(text: str) -> bool:
    """Say whether a text speaks of the customer's own order, box or subscription."""
    return bool(re.search(OWN, text, re.IGNORECASE))


def is_request(text: str) -> bool:
    """Say whether a text without an order number asks to do something with the customer's own order or subscription."""
    return bool(SEARCHING.search(text) or ORDERING.search(text))


def amount(order: dict[str, Any], wish: Wish) -> float:
    """Return the price in US dollars of the order's meals that were named, or of the whole order; 0 when unclear."""
    named = float(sum(item["price_usd"] for item in order["items"] if item["name"] in wish.meals))
    return float(order["total_usd"]) if wish.whole and not named else named


def say_order(order: dict[str, Any]) -> Reply:
    """Say where an order is."""
    day, window = wording.said(order["delivery_date"]), WINDOWS.get(order["window"], order["window"])
    meals = ", ".join(item["name"] for item in order["items"])
    texts = {
        "delivered": f"was delivered on {day}",
        "delayed": f"should have come on {day} but is delayed; you can have a new box or a full refund",
        "packed": f"is packed and comes on {day}, {window}",
        "cancelled": "was cancelled, so no box will come",
        "refunded": f"was refunded in full (${order['refunded_usd']:.2f})",
        "scheduled": f"is planned for {day}, {window}",
    }
    status = texts.get(order["status"], f"has the status {order['status']}")
    return Reply(text=f"Your order {order['order_id']} {status}. It contains {meals}.")


def say_error(done: Call) -> Reply:
    """Say why a tool refused, in the words of the handbook."""
    named = done.arguments.get("order_id") or done.arguments.get("subscription_id") or "that number"
    texts = {
        "not_found": f"I could not find {named}. Please check the number in your confirmation e-mail.",
        "too_late": "I'm sorry, it is too late: a box can be changed until 6 pm two days before its delivery.",
        "no_delivery_day": "I can't move it there: we deliver only from Tuesday to Saturday. Which day suits you?",
        "too_soon": "I can't move it to that day: it is less than two days away. Which later day suits you?",
        "too_far": "I can't move it that far: the new day may be at most 7 days after the planned one.",
        "not_open": f"{named} can't be changed any more, because it is not waiting for delivery.",
        "not_active": f"{named} is not active, so there is nothing to pause.",
        "too_many_pauses": f"{named} was already paused twice this year, the most that a calendar year allows.",
        "bad_arguments": "I can't do that: a pause lasts from 1 to 12 weeks and a box moves to a delivery day.",
    }
    return Reply(text=texts.get(done.error, "I'm sorry, that did not work. Please try again later or call 555-0142."))


def say_moved(done: Call) -> Reply:
    """Say when a moved box comes."""
    order = done.result or {}
    day, window = wording.said(order["delivery_date"]), WINDOWS[order["window"]]
    return Reply(text=f"Done: {order['order_id']} now comes on {day}, {window}.")


def say_paused(done: Call) -> Reply:
    """Say how long a subscription rests."""
    weeks = (done.result or {})["pause_weeks"]
    length = "1 week" if weeks == 1 else f"{weeks} weeks"
    return Reply(
        text=f"Your subscription is paused for {length}, starting with the next box that is not charged yet. "
        "We send a reminder 5 days before it starts again."
    )


def say_refunded(done: Call) -> Reply:
    """Say what goes back and when it arrives."""
    return Reply(
        text=f"I have refunded ${done.arguments['amount_usd']:.2f} for order {done.arguments['order_id']}. "
        "It goes back to your payment method and takes 3 to 5 business days."
    )


def say_not_refundable(order: dict[str, Any]) -> Reply | None:
    """Say why an order cannot be refunded, or nothing if it can."""
    if order["status"] not in {"delivered", "delayed"}:
        return say_order(order)
    days = (TODAY - date.fromisoformat(order["delivery_date"])).days
    if days <= REFUND_DAYS:
        return None
    return Reply(
        text=f"I'm sorry, a refund is no longer possible: {order['order_id']} was delivered {days} days ago, "
        f"and we refund within {REFUND_DAYS} days of delivery."
    )


def refund(talk: Talk, wish: Wish, order: dict[str, Any], usd: float) -> Reply:
    """Refund, or hand over what a person has to decide."""
    done = talk.now.call("issue_refund")
    if done and not done.error:
        return say_refunded(done)
    if usd > REFUND_LIMIT_USD or (done and done.error == "needs_person"):
        return escalate(talk, "refund-limit")
    if done:
        return say_error(done)
    reason = ", ".join(wish.meals) or "whole order"
    return call(
        "issue_refund", order_id=order["order_id"], amount_usd=round(usd, 2), reason=f"customer reported: {reason}"
    )


def move(talk: Talk, wish: Wish) -> Reply:
    """Move a box to the day or window that was named."""
    done = talk.now.call("change_delivery")
    if done:
        return say_error(done) if done.error else say_moved(done)
    arguments: dict[str, Any] = {"order_id": wish.order_id}
    if wish.day:
        arguments["delivery_date"] = wish.day.isoformat()
    if wish.window:
        arguments["window"] = wish.window
    return call("change_delivery", **arguments)


def pause(talk: Talk, subscription_id: str, weeks: int) -> Reply:
    """Pause a subscription for a number of weeks."""
    done = talk.now.call("pause_subscription")
    if done:
        return say_error(done) if done.error else say_paused(done)
    return call("pause_subscription", subscription_id=subscription_id, weeks=weeks)
