"""YAML as recipes are written in it, bounded before anything of it is built.

A few hundred bytes of YAML can name gigabytes (aliases of aliases), themselves, or a number of any
length. So the text is first read as a stream of events, which builds nothing, and counted. Numbers
to the base of 60, which YAML 1.2 gave up, are texts here: ``9:59`` is a time to everybody else.

The parser is PyYAML's own: libyaml's takes tabs that it refuses, and numbers some lines otherwise.
"""

import functools
import re
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from ragtune.core.text.shortening import shortened

MOST_BYTES = 200_000
"""Of a recipe; one that gives every field takes 4,000."""
MOST_VALUES = 20_000
"""Values that it may have, those that aliases repeat counted each time."""
DEEPEST = 20
"""Levels of sections and lists; recipes have four."""
LONGEST_NUMBER = 40
"""Characters of a number."""
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
)
_HALF = re.compile("[\ud800-\udfff]")
_STARTS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


class NotationError(ValueError):
    """Why a text is not the YAML of a recipe; ``line`` counts from 1."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(shortened(problem, 300))
        self.line = line


_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
_DECIMAL = {
    _INT: re.compile(r"[-+]?(?:0b[0-1_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)\Z"),
    _FLOAT: re.compile(
        r"(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
}
"""PyYAML's own patterns for numbers, less those to the base of 60."""


class _Builder(Composer, SafeConstructor, Resolver):
    """PyYAML's loader less its parser: the nodes of events that were counted, and their values."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self._left = deque(events)

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        return bool(self._left) and isinstance(self._left[0], kinds or yaml.Event)

    def peek_event(self) -> yaml.Event | None:
        return self._left[0] if self._left else None

    def get_event(self) -> yaml.Event | None:
        return self._left.popleft() if self._left else None


_Builder.yaml_implicit_resolvers = {
    first: [(tag, _DECIMAL.get(tag, pattern)) for tag, pattern in known]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str) -> tuple[yaml.Node | None, Any]:
    """The nodes of a text, which know their lines, and its value.

    Raises NotationError for what is not valid, too large, too deep, or refers to itself.
    """
    if len(text) > MOST_BYTES:
        raise NotationError(f"{len(text):,} characters; a recipe has at most {MOST_BYTES:,}", 1)
    try:
        node = _composed(text)
        return node, None if node is None else _Builder(iter(())).construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NotationError(str(error.problem or error.context), line) from None
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, ValueError) as error:
        # The last are what PyYAML raises on a value that does not fit its tag.
        if isinstance(error, NotationError):
            raise
        raise NotationError(" ".join(str(error).split()) or type(error).__name__, 1) from None


@functools.lru_cache(maxsize=8)
def _composed(text: str) -> yaml.Node | None:
    """The nodes of a text, which nobody changes; a run opens the same recipe again and again."""
    node: yaml.Node | None = _Builder(_bounded(text)).get_single_node()
    return node


def _bounded(text: str) -> Iterator[Any]:
    """The events of a text.

    Raises NotationError for more than a recipe can hold, before anything is built.
    """
    values = 0
    sizes: dict[str, tuple[int, int]] = {}  # of each anchor: values, levels
    open_: list[_Open] = []
    for event in _events(text):
        yield event
        line = event.start_mark.line + 1
        count, levels = 1, 0
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                inside = any(one.anchor == event.anchor for one in open_)
                what = "refers to itself" if inside else "is not defined before"
                raise NotationError(f"*{event.anchor} {what}", line)
            count, levels = sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            _plain(event, line)
            if event.anchor:
                sizes[event.anchor] = 1, 0
        elif isinstance(event, _STARTS):
            _refuse_tag(event.tag, line)
            open_.append(_Open(event.anchor, values))
        elif isinstance(event, _ENDS):
            closed = open_.pop()
            levels = closed.levels + 1
            if closed.anchor:
                sizes[closed.anchor] = values - closed.before + 1, levels
        else:
            continue
        values += count
        if open_:
            open_[-1].levels = max(open_[-1].levels, levels)
        if len(open_) + levels > DEEPEST:
            raise NotationError(f"nested deeper than {DEEPEST} levels", line)
        if values > MOST_VALUES:
            raise NotationError(f"more than {MOST_VALUES:,} values, aliases written out", line)


class _Open:
    """A section or list that is not closed yet: its anchor, what was counted before, its levels."""

    def __init__(self, anchor: str | None, before: int) -> None:
        self.anchor, self.before, self.levels = anchor, before, 0


def _events(text: str) -> Iterator[Any]:
    return cast(Iterator[Any], yaml.parse(text, Loader=yaml.SafeLoader))


def _plain(event: yaml.ScalarEvent, line: int) -> None:
    value = event.value
    if not value.isascii() and _HALF.search(value):
        raise NotationError("holds half a character (a lone surrogate)", line)
    _refuse_tag(event.tag, line)
    number = event.implicit[0] and any(p.match(value) for p in _DECIMAL.values())
    if len(value) > LONGEST_NUMBER and (number or event.tag in (_INT, _FLOAT)):
        raise NotationError(f"a number of {len(value):,} characters: {shortened(value, 40)}", line)


def _refuse_tag(tag: str | None, line: int) -> None:
    if tag is not None and tag != "!" and tag not in _TAGS:
        raise NotationError(f"the tag {shortened(tag)} has no place in a recipe", line)
