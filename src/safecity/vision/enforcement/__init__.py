"""Trajectories of vehicles held against lanes, lines, zones and lights: candidates of offences. No pictures, no I/O."""
