"""The child process of openml.py: downloads a classification data set and writes it as arrays.

    python -m compress.data.openml_download NAME VERSION TARGET HOME

TARGET is the .npz file to write: table (n, columns) as uint8 or float64, columns, what each is called, labels int64 (n,),
classes (k,), pixels, true where the source's columns are all whole numbers 0..255, and left_out, the names of columns of
dates, names and keys. A column of sentences becomes hashed counts of its words. Of a set whose columns are all text, the
arrays are inputs (n, length), the ids of the tokens of its sentences, and words, in the place of table, columns and
pixels; see texts/tokens.py. HOME is the folder for scikit-learn's downloads. The
last line of standard error is the reason of a failure.
"""

from __future__ import annotations

import errno
import http
import http.client
import signal
import ssl
import sys
import zlib
from gzip import BadGzipFile
from types import FrameType
from typing import Any
from urllib.error import HTTPError, URLError

import numpy as np

from compress.data import download_child
from compress.data.download_child import TooLarge, too_large
from compress.data.labels import numbered
from compress.data.openml_columns import Refused, columns_left_out
from compress.data.texts.hashed import FEATURES, hashed, hashed_names
from compress.data.texts.tokens import MOST_TOKENS, numbered_tokens

_UNKNOWN = "openml.org has no such data set and version. Look for both at https://www.openml.org."
NO_CONNECTION = 3
REFUSED = 4
_MOST_CATEGORIES = 256
_MOST_VALUES = 500_000_000  # 4 GB as float64


def main(arguments: list[str]) -> int:
    """Exit code: 0, NO_CONNECTION, or REFUSED for a data set that does not exist or is not for classification."""
    name, version, target, home = arguments
    signal.signal(signal.SIGTERM, _leave)
    try:
        np.savez(target, allow_pickle=False, **encoded(_fetch(name, int(version), home)))
    except ValueError as error:
        return _failed(REFUSED, str(error))
    except MemoryError:
        return _failed(REFUSED, "it does not fit into memory. Choose a smaller set.")
    except HTTPError as error:
        return _failed(NO_CONNECTION, f"openml.org answered {error.code} {error.reason}")
    except URLError as error:
        return _failed(NO_CONNECTION, f"no connection to openml.org: {_in_words(error.reason)}")
    except OSError as error:
        if error.errno == errno.EFBIG:
            return _failed(REFUSED, too_large())
        return _failed(NO_CONNECTION, f"the download broke off: {_in_words(error)}")
    except http.client.HTTPException:
        return _failed(NO_CONNECTION, "the download broke off before its end")
    return 0


def encoded(found: Any) -> dict[str, np.ndarray]:
    """scikit-learn's Bunch as the arrays above. A category becomes one column for each of its values, all 0
    where it is missing; a missing number stays NaN; sentences become columns that count their words.

    Raises:
        ValueError: no single target of classes, no example, or a column with too many categories.
    """
    labels, classes = numbered(_target(found.target))
    texts = {name: column for name, column in getattr(found, "texts", {}).items() if _are_sentences(column)}
    left_out = [str(name) for name in getattr(found, "left_out", ()) if name not in texts]
    if found.data.shape[1] == 0 and texts:
        return {**_tokens(texts), "left_out": np.array(left_out, dtype=np.str_), "labels": labels,
                "classes": np.array(classes)}
    categories = found.categories or {}
    table = _dense(found.data, categories, bool(left_out), FEATURES * len(texts))
    if categories:
        table = np.concatenate([_columns(table[:, place], name, categories)
                                for place, name in enumerate(found.feature_names)], axis=1)
    if texts:
        table = np.concatenate([table, *map(hashed, texts.values())], axis=1)
    finite = np.nan_to_num(table, nan=0.5)  # a missing value is no byte
    whole = bool(finite.min() >= 0 and finite.max() <= 255 and (finite == np.floor(finite)).all())
    return {"table": table.astype(np.uint8) if whole else table, "labels": labels,
            "classes": np.array(classes), "pixels": np.array(whole and not categories and not texts),
            "left_out": np.array(left_out, dtype=np.str_), "columns": _names(found.feature_names, categories, list(texts))}


def _names(columns: list[str], categories: dict[str, list[str]], texts: list[str]) -> np.ndarray:
    """What each column of the table is called."""
    of_values = (f"{name}: {value}" if name in categories else str(name)
                 for name in columns for value in categories.get(name, [""]))
    return np.array([*of_values, *(word for name in texts for word in hashed_names(name))], dtype=np.str_)


def _tokens(columns: dict[str, list[str]]) -> dict[str, np.ndarray]:
    """inputs and words: the columns of sentences, joined in their order. Raises ValueError if no text holds a word."""
    ids, words = numbered_tokens([" ".join(row) for row in zip(*columns.values(), strict=True)], MOST_TOKENS)
    return {"inputs": ids, "words": np.array(words)}


def _are_sentences(texts: list[str]) -> bool:
    """Whether the texts of a column have two words or more in the mean: dates, names and keys have not."""
    return bool(texts) and sum(max(0, len(text.split()) - 1) for text in texts) >= len(texts)


def _fetch(name: str, version: int, home: str) -> Any:
    """scikit-learn's Bunch, and `left_out`: names of the columns of text and dates, which are not in it.

    Raises:
        ValueError: a set that does not exist, or that arrived and cannot be used; with a remedy.
        OSError, http.client.HTTPException: the connection failed.
    """
    from sklearn.datasets import fetch_openml
    from sklearn.datasets._openml import OpenMLError

    with columns_left_out() as left_out:
        try:
            # liac-arff is slower than pandas, but keeps every category and needs no further package.
            found = fetch_openml(name, version=version, data_home=home, as_frame=False, parser="liac-arff",
                                 n_retries=1, delay=0.5)
        except OpenMLError as error:
            raise ValueError(_UNKNOWN) from error
        except Exception as error:
            raise _explained(left_out.failure or error) from error
    found["left_out"], found["texts"] = left_out.names, left_out.texts
    return found


def _explained(error: Exception) -> Exception:
    """The error to raise: that of a connection as it is; ValueError where the set arrived, in words of this program, because
    the parser fails in many ways and gives advice that nobody can follow here."""
    if isinstance(error, HTTPError) and error.code == http.HTTPStatus.NOT_FOUND:
        return ValueError(_UNKNOWN)
    if isinstance(error, BadGzipFile | EOFError | zlib.error):
        return ValueError("what arrived is damaged or cut short. Try again, or choose another set.")
    if isinstance(error, Refused | TooLarge | MemoryError | OSError | http.client.HTTPException):
        return error
    return ValueError("it arrived, but its file is damaged, or of a form that cannot be read here. Choose another set, or "
                      "another version of it.")


def _target(target: np.ndarray | None) -> np.ndarray:
    if target is None:
        raise ValueError("it names no target column. Choose a classification set.")
    if target.ndim != 1:
        raise ValueError(f"it has {target.shape[1]} target columns, but must have one. Choose a set with "
                         "one target.")
    if target.dtype.kind == "f":
        raise ValueError("its target is a number (regression), but must be a category. Choose a "
                         "classification set.")
    return target.astype(str)


def _dense(table: Any, categories: dict[str, list[str]], texts: bool, more: int) -> np.ndarray:
    """texts: whether columns of text were left out; more: columns that will stand beside these."""
    if table.shape[1] == 0:
        useful = " that are numbers, categories or texts" if texts else ""
        raise ValueError(f"it has no columns beside the target{useful}. Choose another set.")
    if table.shape[0] == 0:
        raise ValueError("it has no examples. Choose another set.")
    width = more + table.shape[1] + sum(len(values) - 1 for values in categories.values() if len(values) <= _MOST_CATEGORIES)
    if table.shape[0] * width > _MOST_VALUES:
        raise ValueError(f"it has {table.shape[0]} x {width} values, one for each category, but at most {_MOST_VALUES} are "
                         "allowed. Choose a smaller set.")
    return table if isinstance(table, np.ndarray) else table.toarray()


def _columns(column: np.ndarray, name: str, categories: dict[str, list[str]]) -> np.ndarray:
    if name not in categories:
        return column[:, None]
    count = len(categories[name])
    if count > _MOST_CATEGORIES:
        raise ValueError(f"its column {name!r} has {count} categories, but at most {_MOST_CATEGORIES} are "
                         "allowed: it looks like an identifier. Choose another set.")
    return (column[:, None] == np.arange(count)).astype(np.float64)


def _in_words(reason: object) -> str:
    """Why there is no connection, without the numbers of the system and the lines of OpenSSL's source."""
    if isinstance(reason, ssl.SSLError):
        return "its certificate, or that of a proxy on the way, is not trusted here"
    return (isinstance(reason, OSError) and reason.strerror) or str(reason) or "it ended without a word"


def _failed(code: int, reason: str) -> int:
    sys.stderr.write("\n" + " ".join(reason.split()) + "\n")
    return code


def _leave(number: int, frame: FrameType | None) -> None:
    """Ends by an exception, so that scikit-learn removes incomplete files."""
    sys.exit(128 + number)


if __name__ == "__main__":
    download_child.begin()
    sys.exit(main(sys.argv[1:]))
