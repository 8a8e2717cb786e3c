"""Rebuilt examples as they are shown."""

from __future__ import annotations

import numpy as np
import torch

from compress.data import datasets
from compress.data.raw_data import RawData
from compress.files.data_file import EXAMPLES, shown


def test_a_column_in_the_thousands_hides_none_of_the_others():
    generator = np.random.default_rng(0)
    table = generator.normal(size=(120, 4)) * [1, 5000, 0.01, 1] + [0, 4000, 3, 0]
    data = datasets.prepare(RawData("Table", "tabular", ("a", "b"), table, np.arange(120) % 2), "t", 0)
    found = np.array(shown(data, torch.from_numpy(data.validation.inputs[:EXAMPLES].copy())))
    assert found.min() == 0 and found.max() == 255
    assert (found.std(0) > 30).all()
