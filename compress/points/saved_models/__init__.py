"""Classifiers that other packages of networks saved, optional extras, as ONNX files.

Nothing is downloaded, no code that comes with a model is run, and pickled weights are not read.
"""
