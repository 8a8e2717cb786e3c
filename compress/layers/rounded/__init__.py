"""Layers whose weights, or whose inputs too, are few different numbers."""
