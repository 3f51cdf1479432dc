"""`python -m mlsys.experiments` measures what no page has the time for, and writes the records."""

from mlsys.experiments import roofline
from mlsys.report import record

# A record names what computed it, and no more: a new figure style must not make it stale.
record.save("roofline", roofline.measured(), ["mlsys.experiments.roofline"])
