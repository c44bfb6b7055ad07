"""Live video to viewers: one package per picture, made once for all of them."""
