"""What the store of the Compare page keeps: the table of all points, deleting with undo, archives."""
