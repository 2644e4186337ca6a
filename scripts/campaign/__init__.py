"""Hostile campaigns against ragtune: each is counted as tried and survived, each runs alone."""
