"""The model map of the Compare page: which network was made of which."""
