"""One chance of a false alarm for all looks at a version, however many there will be."""

FIRST = 2 / 3
"""Of the whole, what the first look at a version has that is like the accepted one."""


def spent(alpha: float, look: int, *, is_new: bool = False) -> float:
    """Return the level of one look: over all looks at the accepted version, for ever, the levels sum to `alpha`.

    Args:
        alpha: Chance of a false alarm at any look.
        look: Its number, from 1.
        is_new: It is another version than the accepted one, whose first look is a single comparison and has the whole;
            a third more is left for all looks after it.

    Raises:
        ValueError: There is no such look.

    Source:
        Bonferroni over a series that sums to one, 2/3 and then 1 / 3k(k - 1), so that looks may depend on each other in
        any way; an alpha-spending function (Lan & DeMets 1983) whose number of looks nobody has to know.
    """
    if look < 1:
        raise ValueError(f"look is {look}; expected 1 or more")
    if look == 1:
        return alpha if is_new else alpha * FIRST
    return alpha * (1 - FIRST) / (look * (look - 1))
