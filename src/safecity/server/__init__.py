"""Settings, assembly, duties and node life cycle: the only place that knows all."""
