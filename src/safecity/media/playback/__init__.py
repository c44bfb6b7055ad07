"""Playing recordings: from the shelves to one viewer, at any speed, both ways."""
