"""The door of the view library (GA/T 1400.4): devices and other libraries, not browsers."""
