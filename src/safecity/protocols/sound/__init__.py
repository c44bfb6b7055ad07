"""Coded sound that the media plane does not carry, made into what it carries: bytes in, samples out, no sockets."""
