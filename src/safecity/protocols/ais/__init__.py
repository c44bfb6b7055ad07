"""Ships that tell who and where they are (ITU-R M.1371), as receivers hand it on (IEC 61162-1, NMEA 0183)."""
