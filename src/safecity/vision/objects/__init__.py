"""The slot for a detector of one's own: what stands in a picture, by a network that the user brings."""
