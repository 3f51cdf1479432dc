"""Lifting: the same rule bodies over pointer tables, by Numba on CPU and by Triton on CUDA."""
