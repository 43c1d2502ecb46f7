"""``python -m infra.package --stage prod``: the zip and the CloudFormation template of one stage, in ``build/prod``.

Chalice makes both; this makes them fit to be shipped. Chalice leaves a library out with no more than a sentence when
there is no wheel for Lambda: here that ends the packaging. What it does pack is slimmed (see ``infra.bundle``), since
Lambda unpacks and imports the zip at every cold start. And it reads the queue's name while it imports the
application, so a stage's variables come from ``.chalice/config.json`` and are put into the template from there.

Chalice packs a copy of the application, so that nothing it leaves behind lands in the working tree, and nothing that
lies there (caches, another stage's build) lands in the zip.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from packaging.markers import Marker

from infra import bundle

ROOT = Path(__file__).resolve().parent.parent
NOT_FOR_OLD_PYTHON = ("numpy==",)
"""Requirements that Chalice leaves out for a Python older than ``OLDEST_PYTHON``."""
OLDEST_PYTHON = (3, 12)
"""Lambda's oldest runtime whose base system today's wheels (numpy's among them) are built for."""
PARAMETERS = {
    "Stage": "FORFAIT_STAGE",
    "TableName": "FORFAIT_TABLE",
    "QueueName": "FORFAIT_QUEUE",
    "HourlyQueueName": "FORFAIT_HOURLY_QUEUE",
    "MailFrom": "FORFAIT_MAIL_FROM",
    "SecretName": "FORFAIT_SECRET",
}
"""The template's parameters by the variable of the stage that holds their value."""
_EXPECTED_LINES = ("Creating deployment package.", "Reusing existing deployment package.", "Regen deployment package.")
_PINNED = re.compile(r"([A-Za-z0-9._-]+)==([^\s;#]+)")
_CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"


class PackagingFailed(Exception):
    """Says what is wrong with the package and what to do."""


def package(stage: str, out: Path, *, project: Path = ROOT, allow_python: bool = False) -> Path:
    """Write ``template.json`` and the zip it names into ``out``; returns the template's path.

    ``allow_python`` accepts a Python that Lambda should not run, for a flight on the local AWS.
    """
    check_python(sys.version_info[:2], allow_python)
    names = stage_variables(project, stage)
    with tempfile.TemporaryDirectory(prefix="forfait-package-") as folder:
        work = Path(folder) / "app"
        copy_application(project, work)
        if sys.version_info[:2] < OLDEST_PYTHON:
            install_beside(work)
        merge = Path(folder) / "merge.json"
        merge.write_text(json.dumps(extras(project, names)))
        made = Path(folder) / "made"
        run_chalice(work, stage, merge, made)
        deployment = made / "deployment.zip"
        check_wheels(deployment, project / "requirements.txt")
        template = json.loads((made / "sam.json").read_text())
        bundled = bundle.slim(deployment, Path(folder) / "slim.zip", precompile=_runs_here(template))
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        # Named by its content, so that an unchanged application is an unchanged function.
        shutil.copy(bundled, out / f"forfait-{bundle.digest(bundled)}.zip")
        written = out / "template.json"
        written.write_text(json.dumps(_pointing_at(template, bundle.digest(bundled)), indent=1, sort_keys=True) + "\n")
        return written


def check_python(version: tuple[int, ...], allow: bool) -> None:
    """``PackagingFailed`` when Chalice, which packs for the Python that runs it, would choose a runtime too old."""
    if version < OLDEST_PYTHON and not allow:
        raise PackagingFailed(
            f"Lambda gets the Python that packages, and this is {version[0]}.{version[1]}; use 3.12 or newer: "
            "make clean, then make deploy STAGE=... PYTHON=python3.12 (--allow-python is for the local AWS only)"
        )


def stage_variables(project: Path, stage: str) -> dict[str, str]:
    """The stage's variables in ``.chalice/config.json``; ``PackagingFailed`` when one is missing."""
    stages = json.loads((project / ".chalice" / "config.json").read_text())["stages"]
    if stage not in stages:
        raise PackagingFailed(f"no stage {stage!r} in .chalice/config.json; there are: {', '.join(sorted(stages))}")
    names: dict[str, str] = stages[stage].get("environment_variables", {})
    missing = sorted(set(PARAMETERS.values()) - set(names))
    if missing:
        raise PackagingFailed(f"the stage {stage} in .chalice/config.json lacks {', '.join(missing)}")
    return names


def copy_application(project: Path, work: Path) -> None:
    """What Chalice packs, and the configuration it reads."""
    shutil.copytree(
        project / "chalicelib", work / "chalicelib", ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    )
    shutil.copytree(project / ".chalice", work / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    for name in ("app.py", "requirements.txt"):
        shutil.copy(project / name, work / name)


def install_beside(work: Path) -> None:
    """Put the libraries that Chalice cannot pack for this Python into ``vendor``, which it packs as it is.

    For Python 3.11 it asks for wheels of a Linux older than numpy's are built for. Lambda never gets this package
    (``check_python``); it is tried on the local AWS, whose functions run on this machine.
    """
    listed = work / "requirements.txt"
    lines = [line for line in listed.read_text().splitlines() if _is_requirement(line)]
    ours = [line for line in lines if line.startswith(NOT_FOR_OLD_PYTHON)]
    listed.write_text("\n".join(line for line in lines if line not in ours) + "\n")
    command = ["pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--target", str(work / "vendor"), *ours]
    ran = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise PackagingFailed(f"pip could not install {', '.join(ours)}:\n{ran.stderr}")


def extras(project: Path, names: dict[str, str]) -> dict[str, Any]:
    """``infra/template.yaml`` with the stage's values as defaults of its parameters."""
    found: dict[str, Any] = yaml.safe_load((project / "infra" / "template.yaml").read_text(encoding="utf-8"))
    for parameter, variable in PARAMETERS.items():
        found["Parameters"][parameter]["Default"] = names[variable]
    return found


def run_chalice(work: Path, stage: str, merge: Path, made: Path) -> None:
    """``chalice package``; ``PackagingFailed`` when it fails, and when it says anything that it does not always say."""
    command = ["package", "--stage", stage, "--merge-template", str(merge), str(made)]
    # Chalice requires a region, although it sends no request.
    environ = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    ran = subprocess.run(
        [sys.executable, "-c", _CHALICE, *command], cwd=work, env=environ, capture_output=True, text=True, check=False
    )
    said = [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip() and line not in _EXPECTED_LINES]
    if ran.returncode or said:
        raise PackagingFailed("chalice package:\n" + "\n".join(said or [f"exit status {ran.returncode}"]))


def check_wheels(deployment: Path, requirements: Path) -> None:
    """``PackagingFailed`` unless every pinned requirement lies in the zip in that version, ready for Lambda.

    Chalice packs what pip chose to download, so this is compared with the file that people review. What has no wheel
    it compiles here, and takes the result for Lambda's as well: such a package is refused.
    """
    with zipfile.ZipFile(deployment) as zipped:
        packed = {name.partition("/")[0] for name in zipped.namelist() if ".dist-info/" in name}
        tags = {name: zipped.read(f"{name}/WHEEL").decode() for name in packed if f"{name}/WHEEL" in zipped.namelist()}
    compiled = sorted(name.removesuffix(".dist-info") for name, tag in tags.items() if "-linux_" in tag)
    if compiled:
        raise PackagingFailed(f"compiled on this machine: {', '.join(compiled)}; Lambda needs a manylinux wheel")
    found = {_plain(*name.removesuffix(".dist-info").rpartition("-")[::2]) for name in packed}
    listed = [line for line in requirements.read_text().splitlines() if _is_requirement(line)]
    wanted = [_PINNED.match(line) for line in listed if _is_for_this_python(line)]
    if None in wanted:
        raise PackagingFailed("requirements.txt has a line that is not name==version")
    missing = [match[0] for match in wanted if match and _plain(match[1], match[2]) not in found]
    if missing:
        raise PackagingFailed(f"not in the zip: {', '.join(missing)}; is there a wheel for Lambda's Python and Linux?")


def _is_requirement(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _is_for_this_python(line: str) -> bool:
    marker = line.partition(";")[2].strip()
    return not marker or Marker(marker).evaluate()


def _plain(name: str, version: str) -> tuple[str, str]:
    """A distribution as pip compares them."""
    return re.sub(r"[-_.]+", "-", name).lower(), version


def _runs_here(template: dict[str, Any]) -> bool:
    """Whether this Python is the one that Lambda will run: only its own bytecode is of use to it."""
    runtimes = {each["Properties"]["Runtime"] for each in _functions(template)}
    return runtimes == {f"python{sys.version_info[0]}.{sys.version_info[1]}"}


def _pointing_at(template: dict[str, Any], digest: str) -> dict[str, Any]:
    for function in _functions(template):
        function["Properties"]["CodeUri"] = f"forfait-{digest}.zip"
    return template


def _functions(template: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]


def main() -> int:
    """The command line; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Package one stage for AWS.")
    parser.add_argument("--stage", required=True, help="one of the stages in .chalice/config.json")
    parser.add_argument("--out", type=Path, help="folder for the zip and the template (default build/STAGE)")
    parser.add_argument("--project", type=Path, default=ROOT, help="the application (default: this one)")
    parser.add_argument("--allow-python", action="store_true", help="accept a Python that Lambda should not run")
    options = parser.parse_args()
    out = options.out or ROOT / "build" / options.stage
    try:
        written = package(options.stage, out, project=options.project, allow_python=options.allow_python)
    except PackagingFailed as problem:
        sys.stderr.write(f"packaging failed: {problem}\n")
        return 1
    for path in sorted(out.iterdir()):
        sys.stdout.write(f"{path.stat().st_size / 1e6:8.1f} MB  {path}\n")
    return 0 if written.exists() else 1


if __name__ == "__main__":
    raise SystemExit(main())
