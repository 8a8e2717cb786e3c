"""Data sets that the user brings as files: read, looked at, and kept under a name."""
