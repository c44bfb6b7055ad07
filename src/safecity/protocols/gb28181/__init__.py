"""GB/T 28181 (2011, 2016, 2022) without I/O: bodies, codes, and the decisions of both sides."""
