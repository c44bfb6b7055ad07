"""The view library (GA/T 1400): what capture devices and other libraries send, and what they are told."""
