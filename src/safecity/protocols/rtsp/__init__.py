"""RTSP 1.0 (RFC 2326) without sockets or clocks: messages, client and server sessions, the media of an SDP."""
