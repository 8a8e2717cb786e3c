"""Neural-network compression, measured honestly: data set -> teacher -> method -> network -> file -> point -> curve.

Importing the package loads nothing heavy; import the module you need, for instance compress.sweep or compress.svd.
"""
