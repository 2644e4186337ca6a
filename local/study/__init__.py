"""The arms over the held-out questions: metrics, statistics, losses, and the figures of a run."""
