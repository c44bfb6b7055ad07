"""What moves on the roads: vehicles matched to them, their speeds, jams, and the ways that avoid them."""
