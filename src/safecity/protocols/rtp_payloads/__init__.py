"""RTP payload formats of elementary streams: H.264, H.265, AAC, G.711; packets in order to access units and back."""
