"""Each kind of file: how it is damaged, and how the program reads it. A reader returns whether the file was taken; a damaged
file may be refused with a ValueError, whose text has no sentence of torch, numpy, sqlite or safetensors in it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode

import torch

from compress.curves.final_report import must_fit
from compress.curves.store import Store
from compress.curves.sweep import complete, sweep_of
from compress.data import local_files
from compress.data.added.examples import Choices
from compress.data.added.preview import preview
from compress.data.added.reading import examples_of
from compress.data.pictures import PICTURES, pictures
from compress.files import network_file
from compress.files.artefacts import Artefacts
from compress.files.contents import contents_of
from compress.files.store_error import StoreError
from compress.home import cache_folder
from compress.networks.evaluation import logits_of
from compress.networks.graph.architecture import Own
from compress.networks.onnx.opening import opened
from compress.points.measure import counts, evaluate
from compress.points.state_dict import network_of
from compress.recipe import Recipe, Step
from compress.service import kept_description
from compress.training.own_network import adopt
from pages.ui.shell.choice import first_choice
from pages.ui.shell.links import from_link, to_link
from tests.fuzz import damage
from tests.fuzz.samples import FAMILIES_READ, images

RAW = ("DefaultCPUAllocator", "Error while deserializing", "size mismatch", "invalid load key", "Expected all tensors",
       "sqlite3.", "database disk image", "Traceback", "object at 0x", "could not broadcast", "cannot reshape")


class RawSentence(Exception):
    """A refusal in another library's words."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: damage(contents of a sample, of another sample, random) -> contents; read(path) -> whether taken."""

    damage: Callable[[bytes, bytes, Random], bytes]
    read: Callable[[Path], bool]


def refused(error: ValueError) -> bool:
    """Checks the text of a refusal, and says that the file was not taken."""
    found = [part for part in RAW if part in str(error)]
    if found or not str(error).strip() or len(str(error)) > 2000:
        raise RawSentence(f"{found}: {str(error)[:300]}") from error
    return False


def network(path: Path) -> bool:
    """As `evaluate` reads it: on data that it may have been made for."""
    data = images()
    try:
        made, described = network_file.with_description(contents_of(path), str(path))
        must_fit(str(path), made, data)
        described and described.difference(data)
        evaluate(made, data.validation, made)
        logits_of(made, torch.tensor(data.validation.inputs))
        counts(made, torch.zeros(1, *made.architecture.shape))
        network_file.to_bytes(made, described)
    except ValueError as error:
        return refused(error)
    return True


def compressed(path: Path) -> bool:
    """As compressed data, and as a network that it is not."""
    try:
        network_file.unpack(path)
        network_file.read(path)
    except ValueError as error:
        return refused(error) or "holds compressed data" in str(error)
    return True


def table(path: Path) -> bool:
    """As the list of data sets and a job read it."""
    os.environ["COMPRESS_DATA"] = str(path)
    (card,) = local_files.cards()
    try:
        local_files.read(card.name)
    except ValueError as error:
        return refused(error)
    return True


def own(path: Path) -> bool:
    """As the page of the user's own data looks at it."""
    try:
        found = preview("own", examples_of([path], Choices()))
    except ValueError as error:
        return refused(error)
    if found["problem"]:
        return refused(ValueError(found["problem"]))
    return True


def onnx(path: Path) -> bool:
    """As the page opens a network of the user's own: read, tried on data, written and read again."""
    data = images()
    try:
        found = opened(contents_of(path), "network")
        network_file.from_bytes(network_file.to_bytes(found.network))
    except ValueError as error:
        return refused(error)
    try:
        made = adopt(found.network, Own(), data).network
        evaluate(made, data.validation, made)
    except ValueError as error:
        refused(error)
    return True


def state_dict(path: Path) -> bool:
    """As the page opens one: the family told by the sizes, and those of the samples."""
    for family in ("", *FAMILIES_READ):
        try:
            network_file.to_bytes(network_of(path, family, images(), "mine")[0])
            return True
        except ValueError as error:
            refused(error)
    return False


def store(path: Path) -> bool:
    """As the app opens it and its pages look things up."""
    try:
        kept = Store(path)
        for point in kept.all_points():
            reference = str(point.get("reference", ""))
            kept.curves("low_rank", reference)
            kept.plans(reference)
            kept.all_predictions("low_rank", reference)
        kept.unreadable_points()
        kept.take_notices()
        kept.counter("test split of toy")
    except StoreError as error:
        if "a new store is begun" in str(error):
            Store(path).count("opened")
        return refused(error)
    return True


def description(path: Path) -> bool:
    """As the app starts with the description that an earlier worker left; one that was changed is not taken."""
    os.environ["COMPRESS_HOME"] = str(path.parent)
    kept = kept_description.kept()
    if kept is not None:
        choice = first_choice(kept)
        from_link({"low_rank.keep": "0.2"}, kept, ("low_rank",), choice)
    return kept is not None


def picture(path: Path) -> bool:
    """As a page shows some examples of it: only under the digest of its contents."""
    files, digest = Artefacts(path.parent), path.name.removesuffix(PICTURES)
    return files.has(digest, PICTURES) and bool(pictures(path, [0, 3, 5]))


def _of_container(contents: bytes, other: bytes, random: Random) -> bytes:
    choice = random.random()
    if choice < 0.45:
        return damage.container(contents, random)
    return damage.tensors(contents, random) if choice < 0.6 else damage.damaged(contents, other, random)


def _of_archive(contents: bytes, other: bytes, random: Random) -> bytes:
    return damage.archive(contents, random) if random.random() < 0.6 else damage.damaged(contents, other, random)


def _of_gzip(contents: bytes, other: bytes, random: Random) -> bytes:
    plain = gzip.decompress(other)
    return damage.packed(contents, plain, random) if random.random() < 0.6 else damage.damaged(contents, other, random)


def _of_json(contents: bytes, other: bytes, random: Random) -> bytes:
    """With the present stamp, so that only what was changed can be the reason to refuse it."""
    kept_description.keep(json.loads(contents))
    plain = json.loads((cache_folder() / "description.json").read_text())
    if random.random() < 0.4:
        plain = {**plain, "description": damage.as_json(damage.mutated(json.loads(plain["description"]), random))}
        return damage.as_json(plain).encode()
    text = damage.as_json(damage.mutated(plain, random)).encode()
    return text if random.random() < 0.5 else damage.damaged(text, other, random)


KINDS = {"network": Kind(_of_container, network), "compressed": Kind(_of_container, compressed),
         "npz": Kind(_of_archive, table), "own": Kind(damage.damaged, own), "onnx": Kind(damage.damaged, onnx),
         "state_dict": Kind(damage.damaged, state_dict),
         "idx": Kind(damage.damaged, table), "idx.gz": Kind(_of_gzip, table),
         "store": Kind(damage.damaged, store), "description": Kind(_of_json, description),
         "pictures": Kind(damage.damaged, picture)}


def link(known: dict[str, Any], random: Random) -> bool:
    """A damaged link as a page reads it, and the recipe that comes of it; returns whether nothing had to be corrected."""
    start = first_choice(known)
    name = random.choice(list(known["methods"]))
    sound = to_link(start, known, (name,), name)
    if random.random() < 0.4:
        sound["start"] = "low_rank(keep=0.2)+prune(sparsity=0.5)"
    parameters = damage.link(sound, random)
    if random.random() < 0.3:
        query = damage.text(urlencode(parameters, errors="replace"), random)[:200_000]
        parameters = dict(parse_qsl(query, errors="replace"))
    choice, notices = from_link(parameters, known, (name,), start)
    if sum(map(len, notices)) > 20_000:
        raise RawSentence(f"notices of {sum(map(len, notices))} characters")
    recipe = choice.request(known["methods"][name])
    again = Recipe.parse(recipe.text())
    if again.text() != recipe.text():
        raise RawSentence(f"{recipe.text()[:200]} is read as {again.text()[:200]}")
    to_link(choice, known, (name,), name)
    for text in (damage.text(recipe.text(), random), *list(parameters.values())[:2]):
        try:
            complete(Recipe.parse(text))
            sweep_of(Recipe.parse(text))
        except ValueError as error:
            refused(error)
        try:
            Step.parse(text)
        except ValueError as error:
            refused(error)
    return not notices
