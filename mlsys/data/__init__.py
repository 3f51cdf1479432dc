"""Immutable datasets: generated, bundled, and the real loaders."""
