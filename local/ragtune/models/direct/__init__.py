"""Decoders of Llama's kind, computed on a CPU without transformers' modules.

A question to a small model takes less time than the import of those modules (4 of 7.5 s), and
their batches are padded, which a seventh of the work of reading prompts was spent on.
"""
