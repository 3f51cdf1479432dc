"""`python -m mlsys.experiments [NAME …]` measures what no page has the time for, and writes the records."""

import sys
from collections.abc import Callable
from typing import Any

from mlsys.experiments import classifiers, roofline
from mlsys.report import record

# A record names what computed it, and no more: a new figure style must not make it stale.
RECORDS: dict[str, Callable[[], Any]] = {"roofline": roofline.measured, "classifiers": classifiers.measured}
for name in sys.argv[1:] or RECORDS:
    record.save(name, RECORDS[name](), [f"mlsys.experiments.{name}"])
