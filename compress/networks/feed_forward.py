"""The sequences of modules that perceptrons and convolutional networks are made of."""

from __future__ import annotations

from torch import nn


def perceptron(inputs: int, hidden: tuple[int, ...], classes: int, dropout: float = 0.0) -> list[nn.Module]:
    """Linear layers with ReLU between them, and dropout after each hidden one."""
    modules: list[nn.Module] = []
    for before, after in zip((inputs, *hidden), hidden, strict=False):
        modules += [nn.Linear(before, after), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
    return [*modules, nn.Linear((inputs, *hidden)[-1], classes)]


def image_convolutions(shape: tuple[int, ...], channels: tuple[int, ...], hidden: tuple[int, ...],
                       classes: int) -> nn.Sequential:
    """Convolutions of 5x5 with pooling on images (channels, height, width), then a perceptron. Raises ValueError where the
    image is too small for so many."""
    modules: list[nn.Module] = []
    before, height, width = shape
    most = 0  # convolutions that leave something of the image
    for index, after in enumerate(channels):
        padding = 2 if index == 0 or min(height, width) < 10 else 0
        modules += [nn.Conv2d(before, after, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2)]
        before, height, width = after, (height + 2 * padding - 4) // 2, (width + 2 * padding - 4) // 2
        most += min(height, width) > 0
    if min(height, width) < 1:
        raise _too_many(len(channels), most, f"an image of {shape[1]}x{shape[2]}")
    return nn.Sequential(*modules, nn.Flatten(), *perceptron(before * height * width, hidden, classes))


def _too_many(count: int, most: int, example: str) -> ValueError:
    """most: convolutions for which the example is large enough."""
    remedy = (f"Use {most} or fewer: give so many channels (a student: that depth)" if most else
              "No CNN can read such examples: choose mlp, resnet or gru")
    return ValueError(f"CNN: channels has {count} convolutions, but {example} is too small for them. {remedy}.")


def sequence_convolutions(shape: tuple[int, ...], channels: tuple[int, ...], hidden: tuple[int, ...],
                          classes: int) -> nn.Sequential:
    """Strided convolutions on sequences (features, length), then a perceptron. Raises ValueError as image_convolutions()."""
    modules: list[nn.Module] = []
    before, length = shape
    for index, after in enumerate(channels):
        kernel = 5 if index == 0 else 3
        modules += [nn.Conv1d(before, after, kernel, stride=2, padding=1), nn.ReLU()]
        before, length = after, (length + 2 - kernel) // 2 + 1
    if length < 1:  # one of 3 or more has a last value after any number of convolutions
        raise _too_many(len(channels), 0, f"a sequence of {shape[1]}")
    return nn.Sequential(*modules, nn.Flatten(), *perceptron(before * length, hidden, classes))
