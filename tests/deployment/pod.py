"""A pod as far as one machine goes: a read-only root, user 1000 without rights, and the mounts of a manifest.

The kubelet's part is played by hand: keys become variables and files. The file system is put together from what this
machine has, in a mount namespace of its own, so that nothing stays behind. Needs root, as a kubelet does.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.deployment.documents import ROOT, Container, Document

_OPEN = stat.S_IROTH | stat.S_IXOTH
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib64", "/usr", "/etc", "/proc", "/dev")
_SCRIPT = """\
set -e
PATH=$PATH:/usr/sbin:/sbin
new=$1; shift
mount -t tmpfs -o mode=0755 root "$new"
show() {
    if [ -L "$1" ]; then ln -s "$(readlink "$1")" "$new$1"
    else mkdir -p "$new$1"; mount --bind "$1" "$new$1"; mount -o remount,bind,ro "$new$1"; fi
}
while [ "$1" != -- ]; do show "$1"; shift; done
shift
while [ "$1" != -- ]; do
    mkdir -p "$new$1"
    if [ -d "$MOUNTED$1" ]; then mount --bind "$MOUNTED$1" "$new$1"; mount -o remount,bind,ro "$new$1"
    else mount -t tmpfs -o mode=0700,uid=1000,gid=1000 empty "$new$1"; fi
    shift
done
shift
while [ "$1" != -- ]; do show "$1"; shift; done
shift
mount -o remount,ro "$new"
exec chroot "$new" setpriv --reuid=1000 --regid=1000 --clear-groups \\
    --no-new-privs --bounding-set=-all --inh-caps=-all env -C /app "$@"
"""
"""Arguments: the new root; folders to show read-only, ``--``; mounts of the manifest, ``--``; folders to show below
these, ``--``; the command."""


def need_namespaces() -> None:
    """Skips where no mount namespace can be made."""
    words = ["unshare", "--mount", "true"]
    can = shutil.which("unshare") and shutil.which("setpriv") and os.geteuid() == 0
    if not can or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("needs root, unshare and setpriv, to build a pod's file system")
    closed = [path for path in _python() if stat.S_IMODE(Path(path).stat().st_mode) & _OPEN != _OPEN]
    if closed:
        pytest.skip(f"needs folders that user 1000 can read: {', '.join(closed)}")


def environment_of(container: Container, keys: Mapping[str, str]) -> dict[str, str]:
    """The variables that a kubelet sets, for ConfigMap and Secret with these keys."""
    named = {name: keys[key] for name, (_, _, key) in container.references.items() if key in keys}
    python = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    # What the Dockerfile sets.
    return {**named, **container.literals, "PATH": python, "HOME": "/app", "PYTHONDONTWRITEBYTECODE": "1"}


def write_files(container: Container, keys: Mapping[str, str], folder: Path) -> None:
    """What a kubelet mounts read-only, below ``folder`` at its path: the files of these keys, or nothing."""
    for path, mount in container.mounts.items():
        if mount.get("readOnly") and "subPath" not in mount:
            (folder / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        items = container.volumes[mount["name"]].get("configMap", {}).get("items", [])
        for item in items:
            if item["key"] in keys:
                (folder / path.lstrip("/") / item["path"]).write_text(keys[item["key"]])


def start_container(
    container: Container,
    keys: Mapping[str, str],
    folder: Path,
    *,
    words: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    extra: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """The program as the manifest starts it, and ``words`` after its arguments; its process is its own group.

    ``files`` by path are those of further ConfigMaps below the mounts, ``extra`` are further variables.
    """
    root, mounted = folder / "root", folder / "mounted"
    root.mkdir()
    write_files(container, keys, mounted)
    for path, text in (files or {}).items():
        (mounted / path.lstrip("/")).write_text(text)
    shown = [path for path in (*_SYSTEM, *_python()) if os.path.lexists(path)]
    places = _places(container)
    # A clone below /tmp would be covered by what the manifest mounts there.
    below = [path for path in shown if any(path.startswith(f"{place}/") for place in places)]
    command = [*_command(container.spec), *container.spec.get("args", []), *words]
    return subprocess.Popen(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            _SCRIPT,
            "pod",
            str(root),
            *(path for path in shown if path not in below),
            "--",
            *places,
            "--",
            *below,
            "--",
            *command,
        ],
        env={**environment_of(container, keys), **(extra or {}), "MOUNTED": str(mounted)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _command(spec: Document) -> list[str]:
    """The entry point of the image, or the command of the manifest; without the init, which is the image's own."""
    command = spec.get("command", ["/usr/bin/tini", "--", "argocd-image-updater"])
    assert command[:2] == ["/usr/bin/tini", "--"]
    return list(command[2:])


def _places(container: Container) -> list[str]:
    """Mount points, outer ones first; those of single files are left out."""
    return sorted(path for path, mount in container.mounts.items() if "subPath" not in mount)


def _python() -> list[str]:
    """Where the interpreter, its libraries and the project are on this machine."""
    return sorted({sys.base_prefix, sys.prefix, str(ROOT)})
