"""Libraries below us (GA/T 1400): what we subscribe to there, and the watches that go down to them."""
