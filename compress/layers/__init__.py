"""Importing this folder imports every kind of compressed layer and front, so that any file of ours can be read."""

from compress.layers import coded as coded
from compress.layers import factors as factors
from compress.layers import fronts as fronts
from compress.layers import sparse as sparse
from compress.layers.rounded import corrected as corrected
from compress.layers.rounded import half as half
from compress.layers.rounded import integer_inputs as integer_inputs
from compress.layers.rounded import quantized as quantized
from compress.layers.rounded import quantized_codes as quantized_codes
