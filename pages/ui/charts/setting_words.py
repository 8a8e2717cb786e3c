"""Settings, methods and teachers in words, by the labels of their cards. Never imports streamlit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from compress.recipe import Recipe, Step

Card = Mapping[str, Any]
NAMES = {"gptq": "GPTQ", "ksvd": "K-SVD", "dct": "DCT", "snip": "SNIP", "sklearn": "scikit-learn", "mlp": "MLP",
         "cnn": "CNN", "resnet": "ResNet", "gru": "GRU", "token_gru": "GRU over tokens",
         "token_cnn": "CNN over tokens"}  # names of the field


def choice(word: str) -> str:
    """A choice of a setting: second order, GPTQ."""
    return NAMES.get(word, word.replace("_", " "))


def value(entry: Card, found: Any) -> str:
    """A setting's value: 75 %, 0.2, second order, yes.

    Args:
        entry: the setting's description.
    """
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, int | float):
        return f"{100 * found:.4g} %" if entry.get("share") else f"{found:g}" if isinstance(found, float) else str(found)
    return choice(found) if entry.get("choices") else str(found)


def read(entry: Card, text: str) -> Any:
    """The value that a text of str() is, of a setting; a text that is none of its values stays as it is."""
    kinds: dict[str, Callable[[str], Any]] = {"bool": {"True": True, "False": False}.__getitem__, "int": int, "float": float}
    try:
        return kinds.get(entry["type"], str)(text)
    except (KeyError, ValueError):
        return text


def setting(entry: Card, found: Any) -> str:
    """A setting with its value: share removed 75 %, output layer, output layer: no, no densities."""
    label = _label(entry)
    if isinstance(found, bool):
        return label if found else f"{label}: no"
    return f"no {label}" if found == "none" else f"{label} {value(entry, found)}"


def dial(card: Card) -> dict[str, Any]:
    """The description of a method's dial."""
    return next(entry for entry in card["settings"] if entry["name"] == card["dial"])


def changed_settings(step: Step, card: Card, but: tuple[str, ...] = ()) -> list[str]:
    """A method's settings that differ from their defaults, without the dial: ['plain', 'output layer', 'rounds 3'].

    A method's variants are known by the first setting whose value is a word: it is said by its value alone.

    Args:
        card: the method's description.
        but: settings that are left out.
    """
    entries = {entry["name"]: entry for entry in card["settings"]}
    kind = next((entry["name"] for entry in card["settings"] if entry["type"] == "str"), "")
    changed = [(entries.get(name, {"name": name}), found) for name, found in step.settings
               if name not in (card["dial"], *but) and found != entries.get(name, {}).get("default")]
    return [choice(found) if entry["name"] == kind and found != "none" else setting(entry, found)
            for entry, found in changed]


def step_settings(step: Step, methods: Mapping[str, Card]) -> list[str]:
    """A step's settings that differ from their defaults, its dial first. All settings of a method that this version does not
    have."""
    card = methods.get(step.name, {"dial": None, "settings": []})
    dial = next((entry for entry in card["settings"] if entry["name"] == card["dial"]), None)
    first = [setting(dial, step.values[dial["name"]])] if dial and dial["name"] in step.values else []
    return [*first, *changed_settings(step, card)]


def methods_in_words(steps: tuple[Step, ...], methods: Mapping[str, Card]) -> str:
    """Pruning (share removed 75 %, second order) + Quantization (levels 5)."""
    titles = [methods[step.name]["title"] if step.name in methods else step.name for step in steps]
    told = [", ".join(step_settings(step, methods)) for step in steps]
    return " + ".join(f"{title} ({settings})" if settings else title for title, settings in zip(titles, told, strict=True))


def in_a_sentence(network: str) -> str:
    """What methods_in_words() says, in the middle of a sentence: pruning (share removed 75 %) + quantization (levels 5)."""
    return " + ".join(_small(part) for part in network.split(" + "))


def settings_in_words(recipe: Recipe, methods: Mapping[str, Card]) -> str:
    """The same without the methods: share kept 15 %, plain + levels 5."""
    return " + ".join(", ".join(step_settings(step, methods)) for step in recipe.methods)


def teacher_in_words(step: Step, title: str, entries: list[dict[str, Any]]) -> str:
    """A teacher of no preset: its family, its layers, and what is not at its default: MLP 400-400, dropout 0.2, shift 2.

    Args:
        title: of its family.
        entries: the descriptions of the settings of its network and training.
    """
    values = step.values
    sizes = [values[entry["name"]] for entry in entries if entry["type"] == "sizes" and values[entry["name"]] != "none"]
    changed = [setting(entry, values[entry["name"]]) for entry in entries
               if entry["type"] != "sizes" and values[entry["name"]] != entry["default"]]
    return ", ".join([" ".join([title, *sizes]), *changed])


def _label(entry: Card) -> str:
    """In the middle of a sentence: recovery epochs, PCA baseline."""
    return _small(entry.get("label") or entry["name"].replace("_", " "))


def _small(text: str) -> str:
    """Without a capital at the beginning, unless the word is an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
