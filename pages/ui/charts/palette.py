"""One colour a method on every page: Okabe & Ito's palette, which colour-blind readers can tell apart."""

from __future__ import annotations

BLUE, ORANGE, GREEN, VERMILION, PINK, SKY, YELLOW, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#8A939C")
NEUTRAL = "#808C96"  # between the light and the dark background: faded, for what is in no colour

# Okabe and Ito's are used up: Paul Tol's olive, and a plum that a dark page shows too.
PLUM, OLIVE = "#B0487F", "#999933"

_METHODS = {"low_rank": BLUE, "data_svd": SKY, "distill": VERMILION, "prune": GREEN, "sparse_code": PINK,
            "data_codes": PLUM, "activation_codes": OLIVE, "quantize": ORANGE}
LAYERS = (BLUE, ORANGE, GREEN, VERMILION, PINK, SKY)


def of_method(name: str) -> str:
    """A method's colour; the last one of a chain gives it, an unknown method is grey."""
    return _METHODS.get(name.rpartition("+")[2], GREY)


def of_first(name: str) -> str:
    """The colour of a chain's first method, by which chains that end in the same method are told apart."""
    return of_method(name.partition("+")[0])


def of_layer(number: int) -> str:
    """Layers in forward order, repeating after six."""
    return LAYERS[number % len(LAYERS)]


def faded(colour: str, opacity: float) -> str:
    """The same colour, see-through."""
    red, green, blue = (int(colour[place:place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
