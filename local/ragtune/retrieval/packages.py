"""The modules of llama-index and NLTK that split texts, without what their packages import beside.

That is databases, agents, pandas: two seconds of processor time, twice what an update takes.
The packages are empty while these modules are imported, and not imported after that: who wants more
of them imports them in full, with these very modules in them.
"""

import contextlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, cast

PACKAGES = (
    "llama_index.core",
    "llama_index.core.node_parser",
    "llama_index.core.node_parser.text",
    "llama_index.core.vector_stores",
    "nltk",
    "nltk.tokenize",
)
"""Packages whose ``__init__`` imports much that splitting and nodes do not need."""
_LOCK = threading.RLock()


def module(name: str) -> Any:
    """A module of theirs that needs nothing of what its packages import."""
    if name not in sys.modules:
        with _empty():
            importlib.import_module(name)
    return sys.modules[name]


@contextlib.contextmanager
def _empty() -> Iterator[None]:
    """While the block runs, those packages that were not imported before are empty."""
    made: list[str] = []
    with _LOCK:
        try:
            for name in PACKAGES:
                if name not in sys.modules:
                    sys.modules[name] = importlib.util.module_from_spec(_spec(name))
                    made.append(name)
            yield
        finally:
            for name in made:
                del sys.modules[name]
                _Whole.install()


def _spec(name: str) -> ModuleSpec:
    above = name.rpartition(".")[0]
    spec = PathFinder.find_spec(name, importlib.import_module(above).__path__ if above else None)
    if spec is None:
        raise ModuleNotFoundError(f"no module {name}", name=name)
    return spec


class _Whole(MetaPathFinder, Loader):
    """Imports these packages as Python does, and gives them the modules that are there already.

    Python makes a module an attribute of its package when it is imported, so never of a package
    that comes after it.
    """

    def __init__(self) -> None:
        self._loaders: dict[str, Loader] = {}

    @classmethod
    def install(cls) -> None:
        """Look at imports before others do."""
        if not any(isinstance(one, cls) for one in sys.meta_path):
            sys.meta_path.insert(0, cls())

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As Python finds it, for these packages alone."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in PACKAGES else None
        if spec is not None:
            self._loaders[fullname] = cast(Loader, spec.loader)
            spec.loader = self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Run the package's own ``__init__`` once it has its modules."""
        start = f"{module.__name__}."
        for name, held in list(sys.modules.items()):
            if name.startswith(start) and "." not in name[len(start) :]:
                setattr(module, name[len(start) :], held)
        self._loaders[module.__name__].exec_module(module)
