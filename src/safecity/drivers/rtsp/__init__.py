"""RTSP cameras by URL: pulled by a media slot, for ever, and tested before they are saved."""
