"""Cameras that are asked by RTSP: UDP and interleaved TCP, digest login."""
