"""MPEG program streams (ISO/IEC 13818-1) as GB/T 28181 carries them in RTP."""
