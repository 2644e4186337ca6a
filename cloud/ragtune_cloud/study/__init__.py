"""The run's study repeated at full size: every arm, asked of the models that a target serves."""

from ragtune_cloud.study.study import study

__all__ = ["study"]
