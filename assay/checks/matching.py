"""Pairs of what was expected and what was found, as many as there can be."""

from collections.abc import Callable


def largest_matching(wanted: int, given: int, fits: Callable[[int, int], bool]) -> list[int]:
    """Return for each of what is wanted the position of its own of what is given, -1 where none is left.

    Source:
        Hopcroft & Karp (1973), as in scipy; it does not recurse.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    edges = [(left, right) for left in range(wanted) for right in range(given) if fits(left, right)]
    if not edges:
        return [-1] * wanted
    graph = csr_array(([True] * len(edges), tuple(zip(*edges, strict=True))), (wanted, given))
    return [int(right) for right in maximum_bipartite_matching(graph, perm_type="column")]
