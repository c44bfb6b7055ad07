"""The unit link: Units of a stream from the process that owns it to one that needs them. Bounded, never waits."""
