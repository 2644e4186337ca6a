"""Training rows → samples → batches → the LoRA run; merge and export."""
