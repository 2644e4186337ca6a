"""LoRA tuning: rows → samples → an adapter."""
