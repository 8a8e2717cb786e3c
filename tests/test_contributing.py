"""What CONTRIBUTING names exists: its files, its commands, and the names of the code."""

from __future__ import annotations

import re
from importlib.util import find_spec

from tests.imports import ROOT

TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
COMMANDS = "\n".join(re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL))
WORDS = re.findall(r"`([^`\n]+)`", TEXT.replace("```", ""))
PATH = re.compile(r"[\w.]+(/[\w.]*)+|[\w]+\.(txt|py|md)")


def test_every_file_and_folder_exists() -> None:
    named = [word for word in WORDS if PATH.fullmatch(word)]
    assert len(named) >= 15
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_command_can_be_called() -> None:
    modules = re.findall(r"python -m ([\w.]+)", COMMANDS.replace("-m venv", ""))
    files = [word for word in COMMANDS.split() if PATH.fullmatch(word) and not word.startswith(".venv/")]
    tools = set(re.findall(r"\.venv/bin/(\w+)", COMMANDS)) - {"pip", "python"}
    requirements = (ROOT / "requirements.txt").read_text() + (ROOT / "tests" / "requirements.txt").read_text()
    assert modules and tools and len(files) >= 5
    assert all(find_spec(module) for module in modules)
    assert not [file for file in files if not (ROOT / file).exists()]
    assert not [tool for tool in tools if not re.search(rf"^{tool}[=<>]", requirements, re.MULTILINE)]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_every_name_of_the_code_is_defined_there() -> None:
    names = {word for word in WORDS if re.fullmatch(r"_?[A-Z]\w+", word)} - {"COMPRESS_HOME"}
    sources = "\n".join(path.read_text() for folder in ("compress", "pages", "tests")
                        for path in (ROOT / folder).rglob("*.py"))
    assert len(names) >= 6
    assert not [name for name in names if not re.search(rf"^(class {name}\b|{name}\b.*=)", sources, re.MULTILINE)]
