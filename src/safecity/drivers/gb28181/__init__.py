"""GB/T 28181 as platform: devices register with us, and we ask, steer and receive."""
