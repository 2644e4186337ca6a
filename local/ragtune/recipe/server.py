"""The address of a server, as two fields of a recipe name one."""

from urllib.parse import urlsplit

from ragtune.core.secrets import hidden


def server_url(value: str, key: str, *otherwise: str) -> str:
    """The URL, or one of ``otherwise`` where that is given.

    Raises ValueError for what is neither, and for a URL that holds more than an address: it would
    be written into the run. ``key`` is the environment variable where the server's key belongs.
    """
    if value in otherwise:
        return value
    if any(mark in value for mark in "@?#") or "key=" in value.lower():
        raise ValueError(f"a recipe holds no keys; put the server's into {key}")
    try:
        named = bool(urlsplit(value).hostname)
        _ = urlsplit(value).port
    except ValueError:
        named = False
    if not value.startswith(("http://", "https://")) or not named:
        names = ", ".join(f"`{name}`" for name in otherwise)
        raise ValueError(f"{names} or an http(s) URL, got {hidden(value)!r}")
    return value.rstrip("/")
