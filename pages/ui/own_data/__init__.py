"""The page of the user's own data: files are looked at, added and removed."""
