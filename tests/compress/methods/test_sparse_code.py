"""Sparse codes of weights and of data, as a user meets them."""

from __future__ import annotations

import base64
import dataclasses
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.data.datasets import Dataset, Split, load
from compress.files import network_file
from compress.files.data_file import EXAMPLES
from compress.files.quantised import atoms_in_bytes, in_bytes
from compress.layers.base import compressed_layers, dense_layers
from compress.layers.bit_packing import unpacked
from compress.layers.coded import Coded
from compress.layers.opening import opened
from compress.layers.tiling import Tiling
from compress.methods import data_codes
from compress.methods.data_codes import DataCodes
from compress.methods.low_rank import LowRank
from compress.methods.prune import Prune
from compress.methods.sparse_code import SparseCode
from compress.networks.evaluation import logits_of
from compress.networks.families import Network
from compress.progress import DictionarySoFar, Reporter
from compress.solvers.codes import Codes, codes_as_stored
from compress.solvers.omp import omp
from compress.solvers.pursuit import SparseCoder
from compress.sparse_coding.dictionary_source import Source
from compress.sparse_coding.view import path_of
from tests.compress.helpers import agreement, identical, planned, poisoned, state, toy_data

FEW = {"atoms": 24, "block": 8}


def test_more_atoms_a_block_are_nearer_and_larger(mlp: Network, digits: Dataset) -> None:
    points = list(SparseCode(**FEW).curve(mlp, digits, [1, 2, 4, 8]))
    errors = [[layer["error"] for layer in point.inside["layers"]] for point in points]
    assert all(early > late for one, other in pairwise(errors)
               for early, late in zip(one, other, strict=True))
    lengths = [len(network_file.to_bytes(point.network)) for point in points]
    assert lengths == sorted(lengths) and lengths[0] < len(network_file.to_bytes(mlp)) / 3
    assert agreement(points[-1].network, mlp, digits) > 0.97


def test_a_learned_dictionary_leaves_less_than_those_it_is_compared_with(mlp: Network, digits: Dataset) -> None:
    left = {kind: next(SparseCode(**FEW, dictionary=kind).curve(mlp, digits, [2])).inside["layers"][0]["error"]
            for kind in ("ksvd", "data", "dct", "random")}
    assert left["ksvd"] == min(left.values()) and left["ksvd"] < 0.9 * left["random"]


@pytest.mark.parametrize("nonzeros", [1, 2, 4])
def test_weighting_keeps_weights_on_busy_inputs_better(nonzeros: int, mlp: Network, digits: Dataset) -> None:
    """In the sum of squared errors, each times its input's mean square."""
    size, gaps = torch.tensor(digits.calibration.inputs).flatten(1).square().mean(0), {}
    for weighted in (True, False):
        small = SparseCode(**FEW, weighted=weighted, storage="float32", nonzeros=nonzeros).compress(mlp, digits)
        gaps[weighted] = float(((small[1].weight - mlp[1].weight).detach().square() * size).sum())
    assert gaps[True] < gaps[False]


def test_a_layer_smaller_than_its_dictionary_stays_dense_with_a_note(mlp: Network, digits: Dataset) -> None:
    candidate = next(SparseCode(atoms=512, block=8).curve(mlp, digits, [3]))
    assert not compressed_layers(candidate.network) and len(candidate.notes) == 2
    assert "layer 1 stays dense: codes and dictionary would be larger, no gain" in candidate.notes
    assert network_file.to_bytes(candidate.network) == network_file.to_bytes(mlp)


@pytest.mark.parametrize("text", ["cnn(epochs=3)", "resnet(channels=8-16,epochs=2)", "gru(hidden=24,epochs=2)"])
def test_other_families_are_coded_too(text: str, trained: Callable[[str], Network], digits: Dataset, tmp_path: Path) -> None:
    network = trained(text)
    candidate = next(SparseCode(**FEW, output_layer=True).curve(network, digits, [4]))
    assert compressed_layers(candidate.network)
    length = network_file.write(candidate.network, tmp_path / "file")
    assert length < len(network_file.to_bytes(network)) and agreement(candidate.network, network, digits) > 0.7
    inputs = torch.tensor(digits.validation.inputs)
    assert torch.equal(logits_of(network_file.read(tmp_path / "file"), inputs), logits_of(candidate.network, inputs))


def test_recovery_keeps_the_indices_and_helps(mlp: Network, digits: Dataset) -> None:
    before = SparseCode(**FEW, nonzeros=1).compress(mlp, digits)
    after = SparseCode(**FEW, nonzeros=1, recovery_epochs=4).compress(mlp, digits)
    for path, layer in compressed_layers(before).items():
        assert torch.equal(layer.chosen(), compressed_layers(after)[path].chosen())
        assert not torch.equal(layer.atoms, compressed_layers(after)[path].atoms)
    inputs, labels = torch.tensor(digits.validation.inputs), torch.tensor(digits.validation.labels)
    losses = [float(torch.nn.functional.cross_entropy(logits_of(one, inputs), labels)) for one in (before, after)]
    assert losses[1] < losses[0]


def test_the_last_layer_is_coded_only_with_output_layer(mlp: Network, digits: Dataset) -> None:
    assert set(dense_layers(SparseCode(**FEW).compress(mlp, digits))) == {"5"}


def test_the_first_layer_alone_is_coded_with_first_only(mlp: Network, digits: Dataset) -> None:
    for last in (False, True):
        small = SparseCode(**FEW, first_only=True, output_layer=last).compress(mlp, digits)
        assert set(compressed_layers(small)) == {"1"} and set(dense_layers(small)) == {"3", "5"}


def test_what_cannot_be_coded_is_answered_with_a_sentence(mlp: Network, digits: Dataset) -> None:
    with pytest.raises(ValueError, match=r"nonzeros must be between 1 and 8 \(the smaller of atoms and block\), but got 9"):
        next(SparseCode(**FEW).curve(mlp, digits, [9]))


def test_factors_and_pruned_layers_are_coded_where_codes_take_less(trained: Callable[[str], Network],
                                                                   digits: Dataset) -> None:
    teacher = trained("mlp(hidden=96-64,epochs=2)")
    coder = SparseCode(nonzeros=1, atoms=4, block=8, iterations=2)
    for method in (LowRank(keep=0.4), Prune(sparsity=0.5), SparseCode(nonzeros=4, atoms=8, block=8, iterations=2)):
        before = method.compress(teacher, digits)
        candidate = next(coder.curve(before, digits, [1]))
        assert len(network_file.to_bytes(candidate.network)) < len(network_file.to_bytes(before))
        kinds = [type(layer).__name__ for _, layer in candidate.network.named_modules()]
        assert kinds.count("Coded") == (4 if isinstance(method, LowRank) else 2)
        coded = next(path for path, layer in candidate.network.named_modules() if isinstance(layer, Coded))
        wanted = opened(before).get_submodule(coded).weight
        error = float((candidate.network.get_submodule(coded).weight.detach() - wanted).norm() / wanted.norm())
        assert error < 1 and candidate.inside["layers"][0]["path"] == coded
    tiny = Prune(sparsity=0.99).compress(teacher, digits)
    candidate = next(coder.curve(tiny, digits, [1]))
    assert network_file.to_bytes(candidate.network) == network_file.to_bytes(tiny)
    assert candidate.notes[0] == "layer 1 stays as it is: codes and dictionary would be larger, no gain"


@pytest.mark.parametrize("classify", ["reconstructions", "codes", "projections"])
def test_a_classifier_of_coded_digits_is_nearly_as_good(classify: str, mlp: Network, digits: Dataset) -> None:
    method = DataCodes(atoms=48, classify=classify, epochs=12, nonzeros=6)
    candidate, raw = next(method.curve(mlp, digits, [6])), method.baseline(mlp, digits)
    inputs, labels = torch.tensor(digits.validation.inputs), torch.tensor(digits.validation.labels)
    accuracies = [float((logits_of(one.network, inputs).argmax(1) == labels).float().mean()) for one in (candidate, raw)]
    assert accuracies[0] > accuracies[1] - (0.25 if classify == "projections" else 0.06)
    assert len(candidate.contents) < 0.6 * len(raw.contents)


def test_the_file_holds_dictionary_indices_coefficients_and_labels(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    candidate = next(DataCodes(atoms=40, epochs=1, coding="none").curve(mlp, digits, [3]))
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    manifest, tensors = network_file.unpack(tmp_path / "file")
    examples = len(digits.train)
    assert manifest["compressed_data"] == "digits" and tensors["dictionary"].shape == (40, 64)
    assert tensors["levels"].shape == (examples, 3) and len(tensors["indices"]) == -(-examples * 3 * 6 // 8)
    assert len(tensors["labels"]) == examples
    held = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    assert 0 < len(candidate.contents) - held < 1500


def test_projections_take_as_many_bytes_as_codes(mlp: Network, digits: Dataset) -> None:
    lengths = [len(next(DataCodes(atoms=40, epochs=1, classify=kind).curve(mlp, digits, [4])).contents)
               for kind in ("reconstructions", "projections")]
    assert 0.8 * lengths[0] < lengths[1] <= 1.05 * lengths[0]


def test_classifiers_of_codes_read_real_examples_by_a_pursuit(mlp: Network, digits: Dataset) -> None:
    network = next(DataCodes(atoms=40, epochs=1, classify="codes", tile=4).curve(mlp, digits, [2])).network
    inputs = torch.tensor(digits.validation.inputs)
    front = network[0]
    codes = omp(front.tiling.cut(inputs) - front.mean, front.atoms, 2).dense(40).reshape(len(inputs), -1)
    assert codes.shape[1] == 4 * 40 and torch.equal(front(inputs), codes)


def test_stored_bytes_are_near_the_original_numbers() -> None:
    signals, atoms = torch.randn(50, 16), torch.randn(30, 16)
    _, rounded = atoms_in_bytes(atoms)
    assert float((rounded - atoms).abs().max() / atoms.abs().max()) < 0.005
    codes = omp(signals, atoms, 3)
    stored, back = in_bytes(codes, 30)
    assert stored["levels"].dtype == torch.int8 and torch.equal(back.indices, codes.indices)
    assert float((back.coefficients - codes.coefficients).abs().max()) <= float(stored["scale"]) / 2 + 1e-6


def test_sequences_and_tables_are_coded_too() -> None:
    for shape, tile in (((2, 12), 4), ((2, 12), 0), ((6,), 0)):
        data = toy_data(shape)
        method = DataCodes(atoms=8, tile=tile, epochs=2, iterations=2)
        candidate = next(method.curve(torch.nn.Linear(1, 1), data, [2]))
        assert candidate.contents and candidate.inside["tile"] == tile if "tile" in candidate.inside else candidate.contents
        assert method.inside(torch.nn.Linear(1, 1), data, [2])["tile"] == ([shape[0], tile] if tile else list(shape))


def test_tiles_that_do_not_fill_an_example_are_refused(mlp: Network, digits: Dataset) -> None:
    with pytest.raises(ValueError, match=r"DataCodes: tile must be 0 \(whole examples\) or one of 2, 4, 8 for examples"):
        next(DataCodes(tile=3).curve(mlp, digits, [1]))


def test_what_a_page_shows_of_a_point_is_plain_and_whole(mlp: Network, digits: Dataset) -> None:
    inside = next(DataCodes(atoms=40, epochs=1, iterations=3).curve(mlp, digits, [3])).inside
    assert inside["usage"] == sorted(inside["usage"], reverse=True) and len(inside["usage"]) == 40
    assert len(inside["errors"]) == 3 and 0 < inside["error"] < 1 and inside["psnr"] > 5 and inside["mean_nonzeros"] <= 3
    assert len(inside["rebuilt"]) == len(inside["paths"]) == EXAMPLES
    for path in inside["paths"]:
        assert path["errors"][0] == 1.0 and path["errors"] == sorted(path["errors"], reverse=True)
        assert len(path["errors"]) == len(path["atoms"]) + 1 == len(path["coefficients"]) + 1


def test_labels_of_validation_and_test_are_not_what_data_are_coded_by(mlp: Network, digits: Dataset) -> None:
    blind = dataclasses.replace(digits, _test=poisoned(digits.open_test()))
    made, unseen = (next(DataCodes(atoms=20, epochs=1).curve(mlp, data, [2])) for data in (digits, blind))
    assert made.contents == unseen.contents and identical(state(made.network), state(unseen.network))


def test_an_allowed_error_leaves_easy_tiles_with_fewer_atoms_and_a_smaller_file(mlp: Network, digits: Dataset,
                                                                               tmp_path: Path) -> None:
    lengths, errors = [], []
    for allowed in (0.0, 0.1, 0.5):
        method = DataCodes(atoms=40, epochs=1, tile=4, allowed=allowed)
        candidate = next(method.curve(mlp, digits, [4]))
        counts = candidate.inside["counts"]
        assert sum(counts) == 4 * len(digits.train)
        assert candidate.inside["mean_nonzeros"] == pytest.approx(sum(n * c for n, c in enumerate(counts)) / sum(counts))
        lengths.append(len(candidate.contents))
        errors.append(candidate.inside["error"])
    assert lengths == sorted(lengths, reverse=True) and lengths[2] < 0.7 * lengths[0]
    assert errors == sorted(errors) and errors[2] < 0.6
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    _, tensors = network_file.unpack(tmp_path / "file")
    number = unpacked(tensors["counts"].numpy(), sum(counts), 3)
    assert [int((number == count).sum()) for count in range(5)] == counts
    assert len(tensors["levels"]) == number.sum() and len(tensors["indices"]) == -(-int(number.sum()) * 6 // 8)


def test_codes_of_different_lengths_come_back_from_their_bytes() -> None:
    signals, atoms = torch.randn(50, 16), torch.randn(30, 16)
    codes = omp(signals, atoms, 6, tolerance=2.5)
    stored, back = in_bytes(codes, 30)
    counts = torch.from_numpy(unpacked(stored["counts"].numpy(), 50, 3))
    used = int(counts.sum())
    assert torch.equal(counts, codes.nnz) and 0 < used < 300
    assert unpacked(stored["indices"].numpy(), used, 5).tolist() == codes.indices[codes.indices >= 0].tolist()
    assert torch.equal(stored["levels"].float() * stored["scale"], back.coefficients[codes.indices >= 0])


def test_principal_components_are_measured_beside_the_codes_with_as_many_bytes(mlp: Network, digits: Dataset) -> None:
    method = DataCodes(atoms=40, epochs=2, iterations=2)
    grid = planned(method, [1, 4])
    assert [(one.nonzeros, one.dictionary) for one in grid] == [(1, "ksvd"), (4, "ksvd"), (1, "components"),
                                                                (4, "components")]
    made = {(one.method.nonzeros, one.method.dictionary): one for one in method.candidates(mlp, digits, grid)}
    assert set(made) == {(one.nonzeros, one.dictionary) for one in grid}
    for nonzeros in (1, 4):
        codes, components = (len(made[nonzeros, dictionary].contents) for dictionary in ("ksvd", "components"))
        assert abs(components - codes) < 0.6 * (len(digits.train) + 64) + 1500  # within half a component and the headers
        alone = next(DataCodes(atoms=40, epochs=2, dictionary="components").curve(mlp, digits, [nonzeros]))
        assert alone.contents == made[nonzeros, "components"].contents
        assert made[nonzeros, "ksvd"].inside["others"]["components"] == pytest.approx(alone.inside["error"], abs=0.01)
    for lonely in (DataCodes(pca_baseline=False), DataCodes(dictionary="components"), DataCodes(classify="projections")):
        assert planned(lonely, [1, 4]) == [lonely.at(1), lonely.at(4)]


def test_components_leave_what_an_svd_leaves(mlp: Network, digits: Dataset) -> None:
    candidate = next(DataCodes(atoms=40, epochs=1, dictionary="components").curve(mlp, digits, [6]))
    count = candidate.inside["components"]
    train = torch.tensor(digits.train.inputs).flatten(1).double()
    held = torch.tensor(digits.validation.inputs).flatten(1).double()
    basis = torch.linalg.svd(train - train.mean(0), full_matrices=False).Vh[:count]
    centred = held - train.mean(0)
    left = (centred - centred @ basis.T @ basis).square().sum() / (held - held.mean(0)).square().sum()
    assert candidate.inside["error"] == pytest.approx(float(left), rel=0.02)


@pytest.mark.parametrize("dictionary", ["sklearn", "dct", "random", "data"])
def test_other_dictionaries_are_measured_in_the_same_way(dictionary: str, mlp: Network, digits: Dataset) -> None:
    method = DataCodes(atoms=40, epochs=1, dictionary=dictionary, iterations=2, pca_baseline=False)
    first, second = method.candidates(mlp, digits, planned(method, [1, 3]))
    assert second.inside["error"] < first.inside["error"] < 1 and first.inside["errors"] == []
    assert first.contents == next(method.curve(mlp, digits, [1])).contents


def test_overlapping_tiles_are_all_stored_and_rebuilt_as_their_mean(mlp: Network, digits: Dataset) -> None:
    apart, overlapping = (next(DataCodes(atoms=30, epochs=1, tile=4, stride=stride).curve(mlp, digits, [2]))
                          for stride in (0, 2))
    assert sum(overlapping.inside["usage"]) == 9 / 4 * sum(apart.inside["usage"])
    assert len(overlapping.contents) > 2 * len(apart.contents)
    assert overlapping.inside["error"] < 1.1 * apart.inside["error"] < 0.5


def test_nothing_negative_means_sums_above_the_darkest_values(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    candidate = next(DataCodes(atoms=30, epochs=1, nonnegative=True, iterations=3).curve(mlp, digits, [4]))
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    _, tensors = network_file.unpack(tmp_path / "file")
    assert int(tensors["dictionary"].min()) >= 0 and int(tensors["levels"].min()) >= 0
    torch.testing.assert_close(tensors["mean"], torch.tensor(digits.train.inputs).flatten(1).amin(0))
    assert candidate.inside["error"] < 0.8


def test_planted_atoms_are_counted_while_they_are_learned(mlp: Network) -> None:
    data, told = load("planted"), []
    method = DataCodes(atoms=50, epochs=1, iterations=30, pca_baseline=False)
    report = Reporter(lambda progress: told.append(progress.live) if isinstance(progress.live, DictionarySoFar) else None)
    inside = next(method.curve(mlp, data, [3], report)).inside
    assert len(inside["found"]) == 30 and inside["found"][-1] > 0.7 > inside["found"][0]
    assert [len(one.found) for one in told] == list(range(1, 31)) and len(told[0].usage) == 50
    assert len(inside["used"]) == 30 and inside["used"][0] == pytest.approx(3 - 100 / 1500)  # 50 signals are atoms


def test_photographs_are_rebuilt_from_their_squares(mlp: Network) -> None:
    data = load("photographs")
    method = DataCodes(atoms=48, epochs=1, tile=8, iterations=2)
    known = method.inside(mlp, data, [2])
    original = pictures(known["scene"])
    assert np.array_equal(original, data.origin["scene"].reshape(2, -1)) and known["scene_shape"] == [3, 160, 224]
    for one in method.candidates(mlp, data, planned(method, [2])):
        rebuilt = pictures(one.inside["scene"])
        gap = np.square(rebuilt.astype(float) - original).mean()
        assert one.inside["scene_psnr"] == pytest.approx(10 * np.log10(255 ** 2 / gap)) and one.inside["scene_psnr"] > 18


def pictures(text: str) -> np.ndarray:
    """What a page gets of pictures, as bytes."""
    count, size, contents = text.split(",", 2)
    return np.frombuffer(zlib.decompress(base64.b64decode(contents)), np.uint8).reshape(int(count), int(size))


@pytest.mark.parametrize("settings", [{}, {"nonnegative": True}, {"tile": 4}, {"tile": 4, "stride": 2}])
def test_errors_during_learning_have_the_unit_of_errors_of_examples(settings: dict, mlp: Network,
                                                                          digits: Dataset) -> None:
    """The last codes that were learned, put together, are near what the training examples lose; the mean of overlapping
    tiles loses less than each."""
    data = dataclasses.replace(digits, validation=digits.train)
    inside = next(DataCodes(atoms=40, epochs=1, **settings).curve(mlp, data, [3])).inside
    if "stride" in settings:
        assert inside["error"] < inside["errors"][-1] < 2.5 * inside["error"]
    else:
        assert inside["errors"][-1] == pytest.approx(inside["error"], rel=0.1)


@pytest.mark.parametrize("settings", [{}, {"tile": 4, "stride": 2, "allowed": 0.1}, {"classify": "codes"},
                                      {"nonnegative": True}, {"dictionary": "components"},
                                      {"dictionary": "components", "classify": "codes", "tile": 4}])
def test_classifiers_are_trained_on_what_the_file_holds(settings: dict, mlp: Network, digits: Dataset, tmp_path: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    train, behind = data_codes.classifier, data_codes.behind
    monkeypatch.setattr(data_codes, "classifier", lambda *given: seen.append(given[0]) or train(*given))
    monkeypatch.setattr(data_codes, "behind", lambda *given: seen.append(given[1]) or behind(*given))
    method = DataCodes(atoms=40, epochs=1, iterations=2, **settings)
    candidate = next(method.curve(mlp, digits, [3]))
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    _, tensors = network_file.unpack(tmp_path / "file")
    atoms = tensors["dictionary"].float() * tensors["sizes"][:, None]
    tiling = Tiling(digits.shape, method.tile, method.stride)
    levels, signals = tensors["levels"].float() * tensors["scale"], len(digits.train) * tiling.count
    if method.dictionary == "components":
        dense = levels
    else:
        counts = torch.full((signals,), 3)
        if "counts" in tensors:
            counts = torch.from_numpy(unpacked(tensors["counts"].numpy(), signals, 2))
        owners = torch.arange(signals).repeat_interleave(counts)
        indices = torch.from_numpy(unpacked(tensors["indices"].numpy(), int(counts.sum()), 6))
        dense = torch.zeros(signals, 40).index_put((owners, indices), levels.flatten())
    codes = dense.reshape(len(digits.train), -1)
    wanted = codes if method.classify == "codes" else tiling.joined(dense @ atoms + tensors["mean"])
    torch.testing.assert_close(seen[0], wanted, rtol=1e-5, atol=1e-5)
    if method.classify == "codes":  # and real examples reach the classifier in the same units
        assert float(candidate.network[1].scale) == pytest.approx(float(codes.square().mean().sqrt()), rel=1e-4)


@pytest.mark.parametrize("settings", [{}, {"nonnegative": True}, {"dictionary": "components"}, {"dictionary": "sklearn"},
                                      {"classify": "projections"}, {"tile": 4, "allowed": 0.1}])
def test_no_other_validation_examples_change_the_file(settings: dict, mlp: Network, digits: Dataset) -> None:
    other = dataclasses.replace(digits, validation=Split(3 * digits.validation.inputs[::-1] - 5, digits.validation.labels))
    method = DataCodes(atoms=20, epochs=1, iterations=2, **settings)
    made, unseen = (next(method.curve(mlp, data, [2])).contents for data in (digits, other))
    assert made == unseen


def test_a_pursuit_counts_atoms_as_their_pictures_are_counted(mlp: Network, digits: Dataset) -> None:
    inside = next(DataCodes(atoms=40, epochs=1, iterations=2).curve(mlp, digits, [3])).inside
    shown = pictures(inside["atoms"])
    for path in inside["paths"]:
        assert np.array_equal(pictures(path["chosen"]), shown[path["atoms"]])


def test_the_most_used_atom_is_pictured_first(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    candidate = next(DataCodes(atoms=40, epochs=1, iterations=2).curve(mlp, digits, [1]))
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    _, tensors = network_file.unpack(tmp_path / "file")
    chosen = torch.from_numpy(unpacked(tensors["indices"].numpy(), len(digits.train), 6))
    usage = torch.bincount(chosen, minlength=40)
    atom = tensors["dictionary"][usage.argmax()].double()
    assert candidate.inside["usage"][0] == int(usage.max())
    assert np.abs(pictures(candidate.inside["atoms"])[0] - (127.5 + 127.5 * atom / atom.abs().max()).numpy()).max() <= 1


def test_a_pursuit_ends_near_its_tile_and_what_is_rebuilt_and_left_make_it_up(mlp: Network, digits: Dataset) -> None:
    inside = next(DataCodes(atoms=40, epochs=1, tile=4, iterations=2).curve(mlp, digits, [12])).inside
    busiest = Tiling(digits.shape, 4).cut(torch.tensor(digits.validation.inputs[:EXAMPLES])).view(EXAMPLES, 4, 16)
    for path, tiles in zip(inside["paths"], busiest, strict=True):
        tile = tiles[tiles.var(1).argmax()]
        levels = ((tile - tile.min()) / (tile.max() - tile.min()) * 255).round().numpy()
        whole, rebuilt, left = pictures(path["tile"])[0], pictures(path["rebuilt"]), pictures(path["left"])
        assert np.abs(whole - levels).max() <= 1
        gaps = np.square(rebuilt.astype(float) - whole).mean(1)
        assert gaps[-1] < 0.1 * gaps[0] and len(rebuilt) == len(left) == len(path["atoms"]) + 1


def test_what_is_left_of_a_dark_tile_is_seen_and_fades_to_grey() -> None:
    """A tile far below the mean of all: around its own mean it has light and dark places, and less contrast at each step."""
    generator = torch.Generator().manual_seed(0)
    tile = torch.rand(16, generator=generator, dtype=torch.float64) * 0.2
    constant = torch.ones(16, 1, dtype=torch.float64)
    atoms = torch.linalg.qr(torch.cat([constant, torch.randn(16, 15, generator=generator, dtype=torch.float64)], 1)).Q.T
    path = path_of(tile, torch.full((16,), 0.9, dtype=torch.float64), atoms.contiguous(), SparseCoder(16), (16,))
    left = pictures(path["left"]).astype(float)
    contrast = left.max(1) - left.min(1)
    assert left[0].max() > 160 and left[0].min() < 90 and abs(left[0].mean() - 127.5) < 1
    assert contrast[-1] < 10 < contrast[0] and len(path["errors"]) == len(left)


def test_the_signal_to_noise_ratio_is_that_of_the_range_of_the_examples(mlp: Network, digits: Dataset) -> None:
    inside = next(DataCodes(atoms=40, epochs=1, iterations=2).curve(mlp, digits, [3])).inside
    held = digits.validation.inputs
    gap = inside["error"] * np.square(held - held.mean(0)).sum() / held.size
    assert inside["psnr"] == pytest.approx(10 * np.log10((held.max() - held.min()) ** 2 / gap), abs=0.01)


@pytest.mark.parametrize("settings", [{}, {"nonnegative": True}, {"tile": 4}, {"classify": "codes"},
                                      {"classify": "projections"}, {"dictionary": "components"}])
def test_examples_that_are_all_the_same_are_coded_by_nothing(settings: dict, mlp: Network, digits: Dataset) -> None:
    data = dataclasses.replace(digits, **{name: Split(np.ones_like(split.inputs), split.labels) for name, split in (
        ("train", digits.train), ("validation", digits.validation))})
    candidate = next(DataCodes(atoms=20, epochs=1, iterations=2, **settings).curve(mlp, data, [2]))
    assert np.isfinite(candidate.inside["psnr"]) and np.isfinite(candidate.inside["error"])
    if "counts" in candidate.inside:
        assert candidate.inside["mean_nonzeros"] == 0 and all(path["errors"] == [1.0] for path in candidate.inside["paths"])


def test_components_take_the_bytes_of_a_dictionary_of_more_atoms_than_tiles(mlp: Network, digits: Dataset) -> None:
    few = dataclasses.replace(digits, train=Split(digits.train.inputs[:60], digits.train.labels[:60]))
    codes, components = (len(next(DataCodes(
        atoms=90, epochs=1, iterations=2, dictionary=dictionary, coding="none").curve(mlp, few, [2])).contents)
        for dictionary in ("data", "components"))
    assert abs(codes - components) < 0.6 * (60 + 64) + 500


@pytest.mark.parametrize("dictionary", ["data", "components"])
def test_projections_are_what_a_file_of_projections_holds(dictionary: str, mlp: Network, digits: Dataset,
                                                          tmp_path: Path) -> None:
    method = DataCodes(atoms=20, epochs=1, classify="projections", dictionary=dictionary)
    candidate = next(method.curve(mlp, digits, [2]))
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    manifest, tensors = network_file.unpack(tmp_path / "file")
    assert manifest["kept"] == "projections" and set(tensors) == {"projections", "scale", "labels"}
    rounded = candidate.network[0](torch.tensor(digits.train.inputs)) / tensors["scale"]
    torch.testing.assert_close(rounded.round(), tensors["projections"].float(), rtol=0, atol=1)


def test_what_other_dictionaries_leave_is_what_they_leave_alone(mlp: Network, digits: Dataset) -> None:
    inside = {dictionary: next(DataCodes(atoms=40, epochs=1, iterations=2, tile=4, allowed=0.05, dictionary=dictionary
                                     ).curve(mlp, digits, [3])).inside for dictionary in ("ksvd", "dct", "random")}
    for kind in ("dct", "random"):
        assert inside["ksvd"]["others"][kind] == pytest.approx(inside[kind]["error"], rel=0.02)


def test_seed_rounds_and_mini_batches_reach_the_learner(mlp: Network, digits: Dataset) -> None:
    files_of = [next(DataCodes(atoms=20, epochs=1, **{"iterations": 2, **settings}).curve(
        mlp, digits, [2], seed=seed)).contents for settings, seed in (
            ({}, 0), ({}, 1), ({"mini_batch": 200}, 0), ({"iterations": 3}, 0), ({"nonnegative": True}, 0))]
    assert len(set(files_of)) == 5


def test_too_many_signals_are_drawn_from_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.sparse_coding.dictionary_source.MOST_SIGNALS", 200)
    signals, learned = torch.arange(1000.0)[:, None].expand(1000, 2), []
    monkeypatch.setattr("compress.sparse_coding.dictionary_source.minibatch_dictionary",
                        lambda some, *_: learned.append(some) or some)
    Source("sklearn", 4, 1).fixed(signals, Reporter())
    rows = learned[0][:, 0]
    assert len(rows.unique()) == 200 and 400 < float(rows.mean()) < 600


def test_coefficients_of_new_signals_are_those_that_a_byte_can_hold() -> None:
    codes = Codes(torch.tensor([[0, 1]]), torch.tensor([[1.26, -900.0]]))
    assert codes_as_stored(codes, torch.tensor(0.1)).coefficients.tolist() == [[pytest.approx(1.3), pytest.approx(-12.7)]]


def test_examples_are_rebuilt_from_coefficients_as_they_are_stored(mlp: Network, digits: Dataset, tmp_path: Path) -> None:
    candidate = next(DataCodes(atoms=30, epochs=1).curve(mlp, digits, [4]))
    network_file.write_bytes(candidate.contents, tmp_path / "file")
    manifest, tensors = network_file.unpack(tmp_path / "file")
    atoms = tensors["dictionary"].float() * tensors["sizes"][:, None]
    held = torch.tensor(digits.validation.inputs).flatten(1)
    rebuilt = codes_as_stored(omp(held - tensors["mean"], atoms, 4), tensors["scale"]).decode(atoms) + tensors["mean"]
    wanted = (rebuilt - held).square().sum() / (held - held.mean(0)).square().sum()
    assert manifest["nonzeros"] == 4 and candidate.inside["error"] == pytest.approx(float(wanted), rel=1e-5)
