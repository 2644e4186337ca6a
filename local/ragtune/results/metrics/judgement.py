"""What the judge says of an answer."""

from enum import StrEnum


class Judgement(StrEnum):
    """Right, or the first reason why not."""

    RIGHT = "right"
    EMPTY = "empty"
    REFUSED = "refused"
    NOT_REFUSED = "not refused"
    OTHER_LABEL = "another label"
    OPPOSITE = "the opposite"
    VALUE_MISSING = "a value is missing"
    OTHER_VALUE = "another value"
    CONTRADICTED = "a second value or name contradicts"
    ITEM_MISSING = "a thing of the list is missing"
    ITEM_EXTRA = "a thing too many"
    DENIED = "denied"
    OTHER_WORDS = "other words"
