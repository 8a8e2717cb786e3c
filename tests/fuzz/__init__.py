"""Damages files and links of all kinds and reads them as the program does: python -m tests.fuzz."""
