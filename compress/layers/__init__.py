"""Importing this folder imports every kind of compressed layer and front, so that any file of ours can be read."""

from compress.layers import coded as coded
from compress.layers import factors as factors
from compress.layers import fronts as fronts
from compress.layers import half as half
from compress.layers import quantized as quantized
from compress.layers import sparse as sparse
