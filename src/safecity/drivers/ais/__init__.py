"""Ships that receivers hear (AIS) as devices of the platform."""
