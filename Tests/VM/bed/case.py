"""A guest case as the bed sees it: a file test_*.py and the literal CASE that stands in it.

It must not import the file: what a case needs is read, never run, on the host.
"""

import ast
import dataclasses
import pathlib

from . import kernel
from .cache import BedError
from .machine import MEMORY
from .snapshot import IMAGES

GUEST = pathlib.Path(__file__).parent.parent / "guest"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    image: str = "installed"
    start: str = "snapshot"
    kernels: str = "all"
    append: str = ""
    timeout: int = 300
    memory: int = MEMORY
    soak: bool = False

    def __post_init__(self):
        fields = {"image": IMAGES, "start": ("snapshot", "boot"), "kernels": ("all", "default")}
        for field, values in fields.items():
            if getattr(self, field) not in values:
                raise BedError(f"{self.name}: {field} is one of {', '.join(values)}, not {getattr(self, field)!r}")
        if self.start == "snapshot" and (self.append or self.memory != MEMORY):
            raise BedError(f'{self.name}: append and memory need "start": "boot"')

    def runs_on(self, kernel_name):
        return self.kernels == "all" or kernel_name == kernel.DEFAULT


def literal(path):
    """The value of CASE in a file; an empty one where it has none."""
    for statement in ast.parse(path.read_text(), str(path)).body:
        if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["CASE"]:
            return ast.literal_eval(statement.value)
    return {}


def read(path):
    try:
        return Case(path.stem, **literal(path))
    except (SyntaxError, TypeError, ValueError) as error:
        raise BedError(f"{path.name}: {error}") from error


def find(names, full):
    """The cases of these names (all of them where none is given); `full` adds those that soak."""
    cases = [read(path) for path in sorted(GUEST.glob("test_*.py"))]
    if not names:
        return [case for case in cases if full or not case.soak]
    known = {case.name: case for case in cases}
    wanted = ["test_" + pathlib.Path(name).stem.removeprefix("test_") for name in names]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BedError(f"no such case: {', '.join(unknown)}")
    return [known[name] for name in wanted]
