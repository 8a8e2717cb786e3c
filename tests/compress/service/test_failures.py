"""What went wrong, as one sentence: shortages of memory in words of our own, our own messages as they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils import check_array

from compress import error_log, memory
from compress.home import cache_folder
from compress.recipe import Recipe
from compress.service.failures import is_of_memory, sentence_of

RAW = ("DefaultCPUAllocator", "enforce fail", "Unable to allocate", "CUDA", "Error code", "array with shape")


def caught(work: object) -> BaseException:
    with pytest.raises((MemoryError, RuntimeError)) as found:
        work()  # type: ignore[operator]
    return found.value


@pytest.mark.parametrize("work", [lambda: torch.empty(10**15), lambda: np.empty(10**15), lambda: bytearray(10**15),
                                  lambda: torch.zeros(10**15, dtype=torch.float64)])
def test_an_allocation_that_fails_is_a_sentence(work: object) -> None:
    problem = caught(work)
    assert is_of_memory(problem)
    sentence = sentence_of(problem)
    assert sentence.startswith("There is not enough memory") and "COMPRESS_MEMORY" in sentence and "Choose" in sentence
    assert not any(part in sentence for part in RAW)


def test_the_size_is_told_where_it_is_known() -> None:
    assert "(4000000000000000 bytes were asked for at once)" in sentence_of(caught(lambda: torch.empty(10**15)))
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79 GiB")
    assert "(2.50 GiB were asked for at once)" in sentence_of(full)


def test_other_errors_are_told_as_they_are() -> None:
    assert sentence_of(ValueError("epochs must be 1")) == "epochs must be 1"
    assert sentence_of(memory.MemoryShort("too much")) == "too much"
    assert sentence_of(OSError("no disk")) == "no disk"
    assert not is_of_memory(ValueError("out of memory is no word of ours")) and not is_of_memory(RuntimeError("odd"))


FOREIGN = {
    "numpy broadcast": lambda: np.zeros(3) + np.zeros(4), "numpy text": lambda: np.array(["x"]).astype(float),
    "torch shapes": lambda: torch.zeros(2, 3) @ torch.zeros(2, 3),
    "torch batch norm": lambda: torch.nn.BatchNorm1d(2)(torch.zeros(1, 2)),
    "torch embedding": lambda: torch.nn.Embedding(2, 2)(torch.tensor([5])),
    "sqlite": lambda: sqlite3.connect(":memory:").execute("SELECT * FROM nothing"),
    "scikit-learn": lambda: check_array([[float("nan")]]), "keyword": lambda: dict.fromkeys(wrong=1),
    "python": lambda: int("x1"), "text": lambda: "\udcff".encode(),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_no_words_of_a_library_reach_a_user_and_the_log_has_them(name: str, home: Path) -> None:
    with pytest.raises(Exception) as found:
        FOREIGN[name]()
    sentence = sentence_of(found.value)
    said = str(found.value).splitlines()[0]
    assert sentence.startswith(f"An unexpected {type(found.value).__name__} ended this; finished points are kept. The full")
    assert said not in sentence
    assert said.encode("utf-8", "backslashreplace").decode() in (cache_folder() / error_log.NAME).read_text()


def test_a_sentence_of_this_program_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="not a recipe") as found:
        Recipe.parse("x")
    assert sentence_of(found.value) == str(found.value)
