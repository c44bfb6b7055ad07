"""The sections of the settings: each field with its unit, default and range."""
