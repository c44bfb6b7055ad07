"""GA/T 1400 (VIID, the video image information database): bytes and objects, no sockets and no clocks."""
