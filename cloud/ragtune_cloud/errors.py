"""Errors of the cloud verbs."""

from ragtune.core.errors import CloudError

__all__ = ["CloudError", "Unreachable"]


class Unreachable(CloudError):
    """AWS cannot be reached just now; a job goes on without us."""
