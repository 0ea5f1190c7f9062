"""Write the message and service stubs of ``protos/*.proto`` into a folder, ``generated/`` unless one is named.

``--check`` writes into a scratch folder instead and fails when ``generated/`` differs from it in any byte.
The files are compiled under the virtual path ``generated/``, so that the stubs import each other from that package.
"""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
DOCSTRING = '"""Stubs generated from ``protos/`` by ``make protos``; never edited by hand."""\n'


def generate(target: Path) -> None:
    """Write the stubs and the package file below ``target``."""
    names = sorted(path.name for path in (ROOT / "protos").glob("*.proto"))
    arguments = [
        "protoc",
        f"-Igenerated={ROOT / 'protos'}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={target}",
        f"--pyi_out={target}",
        *[f"generated/{name}" for name in names],
    ]
    services = [f"generated/{name}" for name in names if name.endswith("_service.proto")]
    for command in (arguments, [*arguments[:3], f"--grpc_python_out={target}", *services]):
        if protoc.main(command) != 0:
            sys.exit("protoc failed; its messages are above")
    (target / "generated" / "__init__.py").write_text(DOCSTRING)


def differences(fresh: Path) -> list[str]:
    """Names of files that are missing, left over, or not equal byte for byte."""
    wanted = {path.name for path in (fresh / "generated").iterdir()}
    present = {path.name for path in (ROOT / "generated").iterdir() if path.is_file()}
    _, unequal, errors = filecmp.cmpfiles(
        fresh / "generated", ROOT / "generated", sorted(wanted & present), shallow=False
    )
    return sorted((wanted ^ present) | set(unequal) | set(errors))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if not parser.parse_args().check:
        (ROOT / "generated").mkdir(exist_ok=True)
        generate(ROOT)
        return
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "generated").mkdir()
        generate(Path(scratch))
        changed = differences(Path(scratch))
    if changed:
        sys.exit(f"generated/ is not what protos/ gives, run 'make protos': {', '.join(changed)}")


if __name__ == "__main__":
    main()
