"""Flows: keyed computations with state over streams of events, each input counted exactly once."""
