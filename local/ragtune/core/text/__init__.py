"""Texts as they are compared: one normaliser for metrics, support, labels and the gate."""

from ragtune.core.text.refusals import refuses
from ragtune.core.text.token import Token
from ragtune.core.text.values import agrees
from ragtune.core.text.words import normalised, tokens, words

__all__ = ["Token", "agrees", "normalised", "refuses", "tokens", "words"]
