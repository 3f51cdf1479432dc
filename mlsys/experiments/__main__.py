"""`python -m mlsys.experiments [NAME …]` measures what no page has the time for, and writes the records."""

import sys

from mlsys.experiments import claims

if __name__ == "__main__":  # a process that helps to compute imports this too
    for name in sys.argv[1:] or claims.RECORDS:
        print(f"{name}: {claims.compute(name):.0f} s", flush=True)
