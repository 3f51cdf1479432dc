"""The grader's half of problem set 4."""
