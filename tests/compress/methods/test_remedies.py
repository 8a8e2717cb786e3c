"""Refusals whose remedy can be followed: the number that is named as allowed is allowed."""

from __future__ import annotations

import re

import pytest

from compress.data.datasets import Dataset
from compress.methods.activation_codes import ActivationCodes
from compress.methods.data_codes import DataCodes
from compress.methods.data_svd import DataSVD
from compress.methods.distill import Distill
from compress.methods.sparse_code import SparseCode
from compress.networks.families import MLP, Architecture, Network, build
from tests.compress.helpers import toy_data


@pytest.fixture(scope="module")
def small() -> tuple[Network, Dataset]:
    """18 training examples of 40 numbers."""
    data = toy_data((40,), classes=2, examples=30)
    return build(Architecture(MLP((9, 5)), data.shape, 2)).eval(), data


@pytest.mark.parametrize(("method", "name"), [
    (DataSVD(components=30), "components"), (DataCodes(nonzeros=20, atoms=16), "nonzeros"),
    (SparseCode(nonzeros=20, atoms=16), "nonzeros"), (ActivationCodes(nonzeros=20, atoms=16), "nonzeros"),
    (ActivationCodes(cut=7), "cut"), (Distill(labelled=500), "labelled")])
def test_the_largest_number_that_a_refusal_allows_is_allowed(method: DataSVD, name: str,
                                                             small: tuple[Network, Dataset]) -> None:
    reason = method.invalid_reason(*small)
    most = int(re.search(rf"{name} must be between \d+ (?:\(\w+\) )?and (\d+)", reason)[1])  # type: ignore[index]
    plain = {**method.plain(), name: most}
    assert type(method).from_plain(plain).invalid_reason(*small) == ""
    assert type(method).from_plain({**plain, name: most + 1}).invalid_reason(*small)


def test_the_limit_of_principal_components_is_named_for_what_it_is(small: tuple[Network, Dataset]) -> None:
    _, data = small
    assert f"and {len(data.train)} (the training examples of toy)" in DataSVD(components=30).invalid_reason(*small)
    many = toy_data((4,), classes=2, examples=60)
    assert "and 4 (the numbers of one example of toy)" in DataSVD(components=9).invalid_reason(small[0], many)
