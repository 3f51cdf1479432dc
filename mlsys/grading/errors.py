"""What the commands tell a person, rather than a traceback."""

from __future__ import annotations


class CourseError(Exception):
    """Something that a person can mend: the message says what, where, and the remedy."""


class ConversionError(CourseError):
    """nbgrader gave up on a notebook; the message is its last complaint."""
