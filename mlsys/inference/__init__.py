"""Inference: what it costs, how it is measured under load and served, and what makes it cheaper."""
