"""The fast path: rule bodies lifted over a table of addresses, by Numba on CPU and by Triton on CUDA.

A body reads and writes every tensor once, so a step of a rule with k slots moves at least
(3 + 2k) * itemsize bytes an element: it reads w, g and the slots, and writes w and the slots.
"""
