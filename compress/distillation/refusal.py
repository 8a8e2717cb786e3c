"""Reasons why a student cannot be trained with a loss: hidden layers that the teacher or the student does not have."""

from __future__ import annotations

from torch import Tensor

from compress.distillation.hidden_features import has_places, teacher_stages
from compress.networks.evaluation import evaluating
from compress.networks.families import Network


def refusal(loss: str, teacher: Network, student: Network, example: Tensor) -> str:
    """A sentence with a remedy; "" if both networks have the hidden layers that the loss compares.

    Args:
        example: (1, *shape) of the data.
    """
    for role, network in (("teacher", teacher), ("student", student)):
        with evaluating(network):
            stages, _ = teacher_stages(network, example)
        if loss == "hints" and not stages:
            return missing(loss, f"a {role} with a hidden layer")
        if loss == "attention" and not any(has_places(layout) for _, layout in stages):
            return missing(loss, f"a {role} with maps or states (cnn, resnet, gru)")
    return ""


def missing(loss: str, needed: str) -> str:
    """The sentence for hidden layers that a loss needs and a network does not have."""
    return f"Distill: the loss {loss} needs {needed}, but it has none. Set loss to soft or relational."
