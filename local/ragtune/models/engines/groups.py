"""Prompts put together: those that begin alike, and batches of similar length."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ragtune.prompts.base import common_prefix

Ids = Sequence[int]


@dataclass(frozen=True)
class Group:
    """Prompts that begin with the same ``stem`` tokens; places are those in the list given."""

    places: list[int]
    stem: int


def batches(prompts: Sequence[Ids], size: int) -> Iterator[list[Group]]:
    """Groups, ``size`` prompts or fewer at a time: those with a stem, then those without.

    Neighbours are of similar length, so that little is padded.
    """
    groups = [
        Group(group.places[start : start + size], group.stem)
        for group in _grouped(prompts)
        for start in range(0, len(group.places), size)
    ]
    for kind in ([g for g in groups if g.stem], [g for g in groups if not g.stem]):
        batch: list[Group] = []
        for group in sorted(kind, key=lambda g: -(g.stem or len(prompts[g.places[0]]))):
            full = sum(len(g.places) for g in [*batch, group]) > size
            if full or (batch and 2 * group.stem < batch[0].stem):
                yield batch
                batch = []
            batch.append(group)
        if batch:
            yield batch


@dataclass
class _Node:
    """Neighbours in sorted order that share ``stem`` tokens, cut where no more is shared.

    ``start`` and ``end`` are places in that order; ``saved`` counts the tokens that the groups
    made of it need not read.
    """

    start: int
    stem: int
    end: int = 0
    saved: int = 0
    parts: list["_Node"] = field(default_factory=list)

    def closed(self, last: "_Node") -> "_Node":
        """The node with its last part: one group where that saves more than its parts do."""
        self.parts.append(last)
        self.end = last.end
        self.saved = sum(part.saved for part in self.parts)
        together = self.stem * (self.end - self.start - 1)
        if together > self.saved:
            self.saved, self.parts = together, []
        return self


def _grouped(prompts: Sequence[Ids]) -> list[Group]:
    """Put together the prompts that share enough of their beginnings to save reading.

    The tree of shared beginnings is as deep as prompts nest, so it is built and walked without
    recursion: from left to right, a node is open as long as its stem is shared.
    """
    order = sorted(range(len(prompts)), key=lambda n: list(prompts[n]))
    if not order:
        return []
    shared = [
        min(common_prefix(prompts[a], prompts[b]), len(prompts[a]) - 1) for a, b in pairwise(order)
    ]
    opened: list[_Node] = []
    last = _Node(0, 0, end=1)
    for n, stem in enumerate(shared, 1):
        while opened and opened[-1].stem > stem:
            last = opened.pop().closed(last)
        if not opened or opened[-1].stem < stem:
            opened.append(_Node(last.start, stem))
        opened[-1].parts.append(last)
        last = _Node(n, 0, end=n + 1)
    while opened:
        last = opened.pop().closed(last)
    groups: list[Group] = []
    left = [last]
    while left:
        node = left.pop()
        if node.parts:
            left += reversed(node.parts)
        else:
            groups.append(Group(order[node.start : node.end], node.stem))
    return groups
