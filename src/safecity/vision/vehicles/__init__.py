"""The vehicle that carries a plate: where all of it is in the picture, and which colour its body has."""
