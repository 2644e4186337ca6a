"""The retrieval half of a promotion: a run's index in another home, and how it searches there."""
