"""What differs between model families: which configurations, projections, logits, attention."""
