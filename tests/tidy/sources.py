"""The tree's sources: which files there are, what they include, and a hash of all they depend on.

Shared by the house rules and the clang-tidy driver, whose caches ask the same question: has
anything that this file can see changed since it last passed?
"""

import hashlib
import json
import os
import re
from pathlib import Path

CPP_SUFFIXES = {".cc", ".h"}
_SKIPPED = re.compile(r"^(\..*|build.*|node_modules|__pycache__|corpus)$")
_KEPT = {".ci", ".clang-format", ".clang-tidy"}
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def files(root):
    """Every file of the tree, relative to `root`, sorted; what was built is not of the tree."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f in _KEPT or not _SKIPPED.match(f)]
        for name in names:
            if name in _KEPT or not _SKIPPED.match(name):
                found.append(Path(folder, name).relative_to(root))
    return sorted(found)


def cpp_files(root):
    return [f for f in files(root) if f.suffix in CPP_SUFFIXES]


def includes(text):
    """(line, name, quoted) of every include in `text`."""
    for match in _INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield line, match.group(1) or match.group(2), match.group(1) is not None


def compile_commands(root, build):
    """source, relative to the tree -> its compile command; what a build made itself is left out."""
    root, build = Path(root).resolve(), Path(build).resolve()
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = Path(entry["directory"], entry["file"]).resolve()
        if path.is_relative_to(root) and not path.is_relative_to(build):
            found[path.relative_to(root)] = entry["command"]
    return dict(sorted(found.items()))


class Closure:
    """Hashes a file together with all that it includes from the tree, however indirectly."""

    def __init__(self, root):
        self.root = Path(root)
        self._direct = {}  # path -> (digest of its bytes, the tree's files that it includes)

    def _read(self, path):
        if path not in self._direct:
            data = (self.root / path).read_bytes()
            inner = []
            for _, name, quoted in includes(data.decode("utf-8", "replace")):
                beside = path.parent / name
                for candidate in [Path(name), beside] if quoted else []:
                    if (self.root / candidate).is_file():
                        inner.append(candidate)
                        break
            self._direct[path] = (hashlib.sha256(data).hexdigest(), inner)
        return self._direct[path]

    def hash(self, path, *salt):
        seen = set()
        todo = [Path(path)]
        while todo:
            current = todo.pop()
            if current not in seen:
                seen.add(current)
                todo.extend(self._read(current)[1])
        whole = hashlib.sha256("\0".join(salt).encode())
        for current in sorted(seen):
            whole.update(f"{current}\0{self._read(current)[0]}\n".encode())
        return whole.hexdigest()


class Stamps:
    """Hashes of what has passed, as empty files outside the tree: a fresh clone profits too."""

    def __init__(self, name):
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self.folder = Path(cache) / "weir" / name

    def has(self, digest):
        try:
            os.utime(self.folder / digest)  # a stamp in use stays young
            return True
        except FileNotFoundError:
            return False

    def add(self, digest):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / digest).touch()
