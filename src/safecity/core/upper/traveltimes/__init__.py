"""How long it takes to drive from one checkpoint to another, from plates that nobody keeps for it."""
