"""Keys and passwords that people put into URLs: found, and kept out of what is written or shown."""

import re

_USER = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/?#]*@", re.IGNORECASE)
_PARAMETER = re.compile(r"(?P<name>[?&#;][^\s=&#]*)=[^\s&#;]+")
_NAMES = re.compile(
    r"[?&#;][^=&#]*(?:key|token|secret|pass|pwd|auth|sig|credential|session|jwt|code)[^=&#]*=",
    re.IGNORECASE,
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
HIDDEN = "…"


def is_revealing(value: str) -> bool:
    """Whether a value is a URL with a user's name in it, or a parameter that is named as a key."""
    found = value.strip()
    return bool(_URL.fullmatch(found) and (_USER.match(found) or _NAMES.search(found)))


def hidden(text: str) -> str:
    """A text as it may be shown: in its URLs no users, passwords and values of parameters."""
    if "://" not in text:
        return text
    return _URL.sub(lambda match: _hidden_url(match[0]), text)


def _hidden_url(url: str) -> str:
    return _PARAMETER.sub(rf"\g<name>={HIDDEN}", _USER.sub(rf"\g<scheme>{HIDDEN}@", url))
