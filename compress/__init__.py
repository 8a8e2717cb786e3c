"""Neural-network compression, measured honestly: data set -> teacher -> method -> network -> file -> point -> curve.

Importing the package loads nothing heavy; import the module you need, for instance compress.curves.sweep or
compress.solvers.svd.
"""

import os

# Read when torch is loaded, later: threads that spin while they wait for a busy core cost up to ten times the work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
