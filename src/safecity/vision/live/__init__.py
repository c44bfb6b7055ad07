"""Streams of cameras into pictures to look at, each decoded in a child process that may die of what it is given."""
