"""Reference implementations, exercises and grading for the course Machine Learning Systems Design."""

__version__ = "0.1.0"
