"""RTP and RTCP (RFC 3550), and RTP over TCP (RFC 4571)."""
