"""Texts as rows of token ids."""
