"""The platform side of JT/T 808: vehicle terminals as devices."""
