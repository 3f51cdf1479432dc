"""The corpus of attacks and honest oddities, graded as one class."""

from hostile_class import *  # noqa: F403
