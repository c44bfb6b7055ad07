"""Asyncio shells of protocols that drivers and the simulated city share: bytes and sockets, no domain."""
