"""Roads that people close: works, events, orders; and telling the duty that plans ways."""
