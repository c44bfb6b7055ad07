"""The road network: arrays in, arrays out; no I/O besides reading and writing its own file (docs/design/roads.md)."""
