"""Draws plates and streets and trains the networks that read them; needed to make the weights, never to use them."""
