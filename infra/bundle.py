"""The zip that every function gets: Chalice's, without what Lambda never reads, and with bytecode.

botocore is the bulk of it: 20 MB of descriptions of some 400 services, of which we use few. Bytecode spares each cold
start the compiling of all modules (Lambda's disk is read-only, so Python could not keep what it compiled). It is
marked "unchecked": Python then does not look whether the source has changed, which in a zip it has not.
"""

from __future__ import annotations

import compileall
import hashlib
import py_compile
import sys
import tempfile
import zipfile
from pathlib import Path

SERVICES = ("dynamodb", "s3", "secretsmanager", "sesv2", "sqs")
"""The services whose clients the functions make; a test compares them with the source."""
MAX_BYTES = 50_000_000
"""Lambda's limit for a zip that is uploaded directly; we stay under it although S3 would allow more."""
_DATA = "botocore/data/"
_NEVER_READ = (".pyi", ".pyx", ".pxd", ".c", ".h", ".pyc")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def is_wanted(name: str) -> bool:
    """Whether a file of Chalice's zip is of use in a Lambda function."""
    if name.startswith(_DATA):
        service, _, rest = name.removeprefix(_DATA).partition("/")
        # Files directly under data/ (endpoints, partitions, retries) are for all services; examples are for people.
        return not rest or (service in SERVICES and "examples" not in rest)
    folders = name.split("/")[:-1]
    return not (name.endswith(_NEVER_READ) or {"tests", "__pycache__"} & set(folders) or folders[:1] == ["bin"])


def slim(source: Path, target: Path, *, precompile: bool) -> Path:
    """Write the wanted files of ``source`` to ``target``, which it returns, with bytecode of the running Python.

    The same files make the same bytes: names are sorted and times fixed.
    """
    with tempfile.TemporaryDirectory(prefix="forfait-bundle-") as folder:
        root = Path(folder)
        with zipfile.ZipFile(source) as zipped:
            zipped.extractall(root, [name for name in zipped.namelist() if is_wanted(name)])
        if precompile:
            _compile(root)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path in sorted(each for each in root.rglob("*") if each.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                # Lambda runs as another user than the one who unpacks.
                entry.external_attr = 0o644 << 16
                zipped.writestr(entry, path.read_bytes())
    if target.stat().st_size > MAX_BYTES:
        raise ValueError(f"the zip has {target.stat().st_size} bytes; at most {MAX_BYTES} are wanted")
    return target


def digest(path: Path) -> str:
    """The first 16 hex digits of the file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _compile(root: Path) -> None:
    """Bytecode beside every module, as if it had been compiled where Lambda unpacks the zip."""
    compileall.compile_dir(
        root,
        quiet=2,
        stripdir=str(root),
        prependdir="/var/task",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not list(root.rglob(f"app.{sys.implementation.cache_tag}.pyc")):
        raise ValueError("app.py does not compile")
