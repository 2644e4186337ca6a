"""Benchmarks against the tools that one would take instead."""
