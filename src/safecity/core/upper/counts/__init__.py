"""How many vehicles pass a place: told by loops, radars and other systems, and counted from passages."""
