"""What ``scripts/bench/gpu`` measures: each module a part, or what parts have in common."""
