"""Numbers as one would say them."""


def brief(seconds: float) -> str:
    """Seconds to three significant digits, never with an exponent above 100."""
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"


def about(seconds: float) -> str:
    """Seconds as one would say them: 12, 0.7, 0.04."""
    return (
        f"{seconds:.0f}"
        if seconds >= 10
        else f"{seconds:.1f}"
        if seconds >= 0.1
        else f"{seconds:.2g}"
    )


def rounded(count: float) -> str:
    """A count to two significant digits, with thousands separated."""
    return f"{float(f'{count:.2g}'):,.0f}"
