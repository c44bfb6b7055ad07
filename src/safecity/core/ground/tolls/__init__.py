"""What roads cost: gantries and cordons, their prices, and telling the duty that plans ways."""
