"""Inference: measure it as production does, then make it better."""
