"""Pushed media of devices: RTP over UDP and TCP, routed, put in order and made into units."""
