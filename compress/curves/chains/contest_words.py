"""What "equally large" means in an order matrix and a duel, for pages and for the comparison. Imports nothing heavy."""

EQUAL = 0.02
"""Relative difference of two sizes up to which neither dial is adjusted again."""
TOLERANCE = 0.1
"""Relative difference of two sizes above which they are not called equal."""
EQUALLY = (f"Dials of whole numbers cannot give every size: the other network is then made as large as that one has become. "
           f"Sizes that differ by more than {100 * TOLERANCE:.0f} % are refused; those shown are the ones really reached.")
