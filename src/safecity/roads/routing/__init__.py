"""Routes: time-dependent, with live speeds, tolls, alternatives and an interval for the arrival."""
