"""The part of the page of one's own files that is about networks: looked at, added and removed."""
