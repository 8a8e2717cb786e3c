"""The commands about a network's file: evaluate and export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.atomic_file import write_whole
from compress.shell import streams

if TYPE_CHECKING:
    from compress.curves.store import Store

RUNNERS = {"onnx": "ONNX Runtime", "torch": "the program of torch.export"}

def evaluated(file: str, data_name: str, split_name: str, teacher: str | None, store: Store) -> dict[str, Any]:
    """A network file's accuracy and each class's recall on a split, its size and operations.

    Args:
        teacher: a file to agree with, or None.

    Raises:
        ValueError: a file that is no network, or does not fit the data.
    """
    import torch

    from compress.curves.final_report import final_report, must_fit
    from compress.data import datasets
    from compress.files import network_file
    from compress.files.contents import contents_of
    from compress.networks import device
    from compress.points.measure import counts, evaluate, recalls

    where = device.prepare()
    contents = contents_of(file)
    network, made_for = network_file.with_description(contents, file)
    reference = network_file.read(teacher).to(where) if teacher else None
    network, data = network.to(where), datasets.load(data_name)
    must_fit(file, network, data)
    if reference is not None and teacher:
        must_fit(teacher, reference, data)
    difference = made_for.difference(data) if made_for else ""
    if difference:
        streams.note(f"Warning, {file}: {difference}.")
    if split_name == "test":
        report = final_report(data_name, {file: network}, store, reference)
        times = "once" if report["opened"] == 1 else f"{report['opened']:,} times"
        streams.note(f"The test split of {data_name} has been used {times}.")
        measured = {name: value for name, value in report["rows"][0].items() if name != "name"}
    else:
        split = getattr(data, split_name)
        measured = evaluate(network, split, reference)
        measured["recall"] = recalls(measured.pop("predictions"), split, data.classes)
    example = torch.zeros(1, *network.architecture.shape, device=where)
    return {"file": file, "data": data_name, "split": split_name, **measured, "bytes": len(contents),
            **counts(network, example)}


def exported(file: str, form: str, target: str | None, data_name: str | None) -> dict[str, Any]:
    """Writes a network file in another form, after that has predicted the same classes for the validation examples.

    Args:
        form: "onnx", or "torch" for a program of torch.export.
        target: the new file; None for the same name with the form's ending. data_name: None for the data that the network
            was made for.

    Raises:
        ValueError: a missing package; a file that is no network, or that does not say what it was made for; a network that
            the form has no operators for, or that predicts otherwise in it.
    """
    from compress.curves.final_report import must_fit
    from compress.data import datasets
    from compress.files import network_file
    from compress.files.contents import contents_of
    from compress.networks import device
    from compress.points import onnx_export, onnx_packages, torch_export

    if form == "onnx":
        onnx_export.require_packages()
    device.prepare()
    contents = contents_of(file)
    network, described = network_file.with_description(contents, file)
    if described is None:
        raise ValueError(f"{file} does not say which data it was made for, so that its normaliser is not known. Measure the "
                         "network again with this version.")
    data = datasets.load(data_name or described.data)
    must_fit(file, network, data)
    if form == "onnx":
        made, ending = onnx_export.to_onnx(network, described), onnx_packages.SUFFIX
        found = asdict(onnx_export.agreement(made, network, described, data))
    else:
        made, ending = torch_export.to_program(network, described), onnx_packages.PROGRAM_SUFFIX
        found = asdict(torch_export.agreement(made, network, described, data))
    if found["agreement"] < onnx_packages.LEAST:
        raise ValueError(f"{file} was not exported: {RUNNERS[form]} predicts the same class for "
                         f"{100 * found['agreement']:.1f} % of {found['examples']:,} validation examples only. "
                         f"{onnx_packages.WHY_NOT_ALL}")
    out = Path(target) if target else Path(file).with_suffix(ending)
    write_whole(made, out)
    return {"file": file, "bytes": len(contents), form: str(out), f"{form}_bytes": len(made), "data": data.name, **found}
