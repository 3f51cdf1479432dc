"""Objectives and networks."""

from mlsys.models.quadratic import Quadratic, conditioned

__all__ = ["Quadratic", "conditioned"]
