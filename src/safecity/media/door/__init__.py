"""The media port: WebSocket connections of viewers, opened by tickets."""
