"""Positions to edges: hidden-Markov map matching, online with a fixed lag and for whole trips."""
