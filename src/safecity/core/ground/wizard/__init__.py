"""What the first-run wizard knows: addresses, proposals, menu paths. Its state lies in the settings."""
