"""What went wrong, as one sentence: shortages of memory in words of our own, our own messages as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from compress import memory
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
    assert sentence_of(RuntimeError("odd")) == "RuntimeError: odd"
    assert not is_of_memory(ValueError("out of memory is no word of ours")) and not is_of_memory(RuntimeError("odd"))
