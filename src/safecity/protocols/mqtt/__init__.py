"""MQTT 3.1.1 and 5 as a client: packets both ways, and what a subscriber and a publisher say. No sockets, no clock."""
