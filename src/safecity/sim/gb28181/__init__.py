"""Cameras and recorders that speak GB/T 28181 as devices do, with their makers' faults when asked."""
