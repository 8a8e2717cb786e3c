"""Faults played in real processes: `python -m tests.faults` prints what was seen, and whether anything was lost."""
