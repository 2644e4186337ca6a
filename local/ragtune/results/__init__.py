"""From answers to figures, a verdict, a table and a page."""
