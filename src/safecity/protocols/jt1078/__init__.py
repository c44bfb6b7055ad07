"""JT/T 1078 media: packets of vehicle terminals in, access units out, no sockets."""
