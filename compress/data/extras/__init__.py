"""Data sets of packages that are optional extras: only their files of data are read, no code of theirs is run."""
