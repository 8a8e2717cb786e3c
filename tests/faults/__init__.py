"""Faults played in real processes: `python -m tests.faults` prints what was seen of each, and what was lost for good."""
