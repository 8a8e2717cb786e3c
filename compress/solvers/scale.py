"""Numbers of any scale: finite ones are brought near 1 by powers of two, so that their squares neither overflow nor vanish.

A product with a power of two is exact. Rows of ordinary scale are left as they are, bit for bit.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

ORDINARY = {torch.float32: 40, torch.float64: 400}  # |binary exponent| up to which sums of squares are far from the limits


def check_finite(owner: str, name: str, numbers: Tensor, row: str = "row") -> None:
    """Refuses NaN and infinity.

    Args:
        numbers: (n, ...); row: what a row is called in the message.

    Raises:
        ValueError: names the owner, the argument and the first such row.
    """
    if not numbers.numel() or bool(torch.stack(numbers.detach().aminmax()).isfinite().all()):
        return
    first = int((~numbers.detach().isfinite()).flatten(1).any(1).int().argmax()) if numbers.dim() > 1 else 0
    raise ValueError(f"{owner}: {name} must be finite, but {row} {first} has NaN or inf. Fill or remove such values.")


def ordinary_rows(owner: str, name: str, rows: Tensor) -> tuple[Tensor, Tensor | None]:
    """Rows of ordinary scale, and the binary exponents that were taken out of them.

    Args:
        rows: (n, features), float32 or float64.

    Returns:
        (n, features): 2^-e times each row; and (n,) int32 exponents e, 0 for rows of ordinary scale, or None if all are.

    Raises:
        ValueError: NaN or infinity.
    """
    if not rows.numel():
        return rows, None
    limit, norms = 2.0 ** (ORDINARY[rows.dtype] - 1), torch.linalg.vector_norm(rows.detach(), dim=1)
    least, most = (float(one) for one in norms.aminmax())
    if math.sqrt(rows[0].numel()) / limit < least and most < limit:  # so are the largest numbers of all rows, and no NaN
        return rows, None  # norms take a tenth of the time of what follows
    lowest, highest = rows.detach().aminmax(dim=1)
    largest = torch.maximum(highest, -lowest)
    if not bool(largest.isfinite().all()):
        check_finite(owner, name, rows)
    exponents = torch.frexp(largest).exponent
    exponents = torch.where(exponents.abs() > ORDINARY[rows.dtype], exponents, 0)
    return (rows, None) if not bool(exponents.any()) else (times_power(rows, -exponents[:, None]), exponents)


def ordinary(owner: str, name: str, rows: Tensor) -> tuple[Tensor, int]:
    """All rows (n, features) times one power of two, 2^-e, and e; as for ordinary_rows(), where rows are compared with each
    other."""
    check_finite(owner, name, rows)
    scaled, exponents = ordinary_rows(owner, name, rows.reshape(1, -1))
    return (rows, 0) if exponents is None else (scaled.view_as(rows), int(exponents[0]))


def times_power(numbers: Tensor, exponents: Tensor | int) -> Tensor:
    """Numbers times 2^exponents, in two steps: 2^e alone may be beyond the type where the product is not."""
    exponents = torch.as_tensor(exponents, device=numbers.device)
    half = exponents.div(2, rounding_mode="floor")
    return torch.ldexp(torch.ldexp(numbers, half), exponents - half)


def in_original_units(coefficients: Tensor, exponents: Tensor | int, owner: str) -> Tensor:
    """Coefficients times 2^exponents. Raises ValueError where a product is beyond the type."""
    found = times_power(coefficients, exponents)
    if not bool(found.isfinite().all()):
        raise ValueError(f"{owner}: coefficients must be within {torch.finfo(found.dtype).max:.2g}, but signals are too "
                         "large for these atoms. Scale the signals down or the atoms up, or use float64.")
    return found
