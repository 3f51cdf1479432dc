"""Races against named peers: `python -m benchmarks optim --json FILE`. A claim of speed comes from one of these."""
