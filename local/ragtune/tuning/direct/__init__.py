"""LoRA training of decoders of Llama's kind on a CPU, without autograd and transformers' modules.

The backward pass is written by hand: projections that read the same are one product, weights lie
as the processor reads them, a token that several rows begin with is computed once, and each
thread takes rows of its own instead of a part of every operation.
"""
