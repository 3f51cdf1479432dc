"""A demo class: submissions composed from known answers and from attacks, the score of each known beforehand."""

from mlsys.grading.demo.answers import expected
from mlsys.grading.demo.compose import CLASS, honest_class, make, remove
from mlsys.grading.demo.record import PREFIX, disagreements

__all__ = ["CLASS", "PREFIX", "disagreements", "expected", "honest_class", "make", "remove"]
