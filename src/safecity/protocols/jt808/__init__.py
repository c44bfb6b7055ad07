"""JT/T 808 (vehicle terminals, versions 2011, 2013, 2019): bytes, messages and sessions of both sides, no sockets."""
