"""The packages that ONNX files need, an optional extra, and how far exported files must agree. Imports nothing heavy."""

from __future__ import annotations

from importlib.util import find_spec

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
SUFFIX = ".onnx"
PROGRAM_SUFFIX = ".pt2"  # of a program of torch.export, as torch.export.save wants it
LEAST = 0.999  # agreement on validation: with less, the exported file is not the same network
WHY_NOT_ALL = ("The two add up numbers in different orders, so that sums differ in their last digits; these can decide "
               "between two classes, and which whole number an input is rounded to.")


def missing() -> str:
    """A sentence with the line that installs what is missing; "" where all packages are there."""
    absent = [name for name in PACKAGES if find_spec(name) is None]
    return "" if not absent else (f"ONNX files need {', '.join(absent)}, an optional extra. Install it with: "
                                  f"pip install {' '.join(PACKAGES)}")
