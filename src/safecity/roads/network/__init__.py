"""Roads as arrays: drafted from a source, built, stored by version, and found by place."""
