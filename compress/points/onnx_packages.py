"""The packages that ONNX files need, an optional extra. Imports nothing heavy."""

from __future__ import annotations

from importlib.util import find_spec

PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def missing() -> str:
    """A sentence with the line that installs what is missing; "" where all packages are there."""
    absent = [name for name in PACKAGES if find_spec(name) is None]
    return "" if not absent else (f"ONNX files need {', '.join(absent)}, an optional extra. Install it with: "
                                  f"pip install {' '.join(PACKAGES)}")
