"""A simulated city: streets, cameras, recorders and load, speaking the same protocols as the real ones."""
