"""Run folders: their stages, made in order and reused."""
