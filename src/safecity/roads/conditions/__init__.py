"""What the roads are like: speeds by edge and minutes, blended with usual days; level of service and jams."""
