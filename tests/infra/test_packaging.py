"""What goes to Lambda: the real zip, imported as Lambda imports it, and packaging that fails rather than leave out."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra import bundle, package

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "FORFAIT_STAGE": "dev",
    "FORFAIT_TABLE": "forfait-dev",
    "FORFAIT_BUCKET": "forfait-dev",
    "FORFAIT_QUEUE": "forfait-dev-incoming",
    "FORFAIT_HOURLY_QUEUE": "forfait-dev-hourly",
    "FORFAIT_MAIL_FROM": "",
    "FORFAIT_SECRET": "forfait-dev",
}

TINY = """\
from chalice.app import Chalice

app = Chalice("tiny")


@app.lambda_function()
def work(event, context):
    return event
"""


@pytest.fixture(scope="module")
def unpacked(packaged: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(packaged.archive) as zipped:
        zipped.extractall(folder)
    return folder


def run_as_lambda(unpacked: Path, code: str) -> str:
    """A fresh interpreter that knows the zip and the standard library, and nothing of this machine."""
    start = f"import sys; sys.path[:0] = [{str(unpacked)!r}]; "
    environ = {**NAMES, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    ran = subprocess.run(
        [sys.executable, "-S", "-P", "-c", start + code],
        env=environ,
        cwd=unpacked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_every_requirement_is_in_the_zip_in_its_version(packaged: Any) -> None:
    package.check_wheels(packaged.archive, ROOT / "requirements.txt")


def test_the_zip_is_small(packaged: Any) -> None:
    assert packaged.archive.stat().st_size < 50_000_000


def test_the_zip_has_the_router_of_chalice_and_not_its_command_line(packaged: Any) -> None:
    sources = {name for name in packaged.names if name.startswith("chalice/") and name.endswith(".py")}
    assert sources == {"chalice/__init__.py", "chalice/app.py"}


def test_the_zip_leaves_out_what_lambda_has_and_what_it_never_reads(packaged: Any) -> None:
    folders = {name.split("/")[0] for name in packaged.names}
    assert not folders & {"boto3", "s3transfer", "local", "infra", "tests", "benchmarks", "scripts", "bin", ".chalice"}
    assert not [name for name in packaged.names if name.endswith(".pyi") or "/tests/" in name]
    services = {
        name.split("/")[2] for name in packaged.names if name.startswith("botocore/data/") and name.count("/") > 2
    }
    assert services == set(bundle.SERVICES)


def test_the_services_kept_are_those_that_the_source_makes_clients_for() -> None:
    source = "".join(path.read_text() for path in (ROOT / "chalicelib").rglob("*.py"))
    # PynamoDB makes the client for DynamoDB.
    assert {"dynamodb", *re.findall(r'clients\.client\(\s*"([a-z0-9-]+)"', source)} == set(bundle.SERVICES)


def test_a_fresh_interpreter_imports_the_app_from_the_zip_alone(unpacked: Path) -> None:
    said = run_as_lambda(unpacked, "import app, botocore, json; print(len(app.app.routes), botocore.__file__)")
    count, where = said.split()
    assert int(count) > 10
    assert where.startswith(str(unpacked))


def test_a_fresh_interpreter_imports_each_event_module_without_the_app(packaged: Any, unpacked: Path) -> None:
    handlers = {
        each["Properties"]["Handler"]
        for each in packaged.template["Resources"].values()
        if each["Type"] == "AWS::Serverless::Function"
    }
    assert "chalicelib.rating.events.rate_dropped_files" in handlers
    for module, _, function in (handler.rpartition(".") for handler in sorted(handlers - {"app.app"})):
        code = f"from {module} import {function}; print(callable({function}), 'app' in sys.modules)"
        assert run_as_lambda(unpacked, code).split() == ["True", "False"]


def test_every_client_can_be_made_from_the_slimmed_botocore(unpacked: Path) -> None:
    made = f"[clients.client(name).meta.endpoint_url for name in {bundle.SERVICES!r}]"
    code = f"from chalicelib.aws import clients; print({made})"
    assert run_as_lambda(unpacked, code).count("https://") == len(bundle.SERVICES)


def test_modules_come_with_bytecode_that_python_does_not_compare_with_the_source(unpacked: Path) -> None:
    tag = sys.implementation.cache_tag
    for module in ("app", "chalicelib/config", "botocore/client", "pydantic/main"):
        folder, _, name = module.rpartition("/")
        head = (unpacked / folder / "__pycache__" / f"{name}.{tag}.pyc").read_bytes()[:8]
        assert int.from_bytes(head[4:], "little") == 1


def test_the_same_files_make_the_same_zip(tmp_path: Path) -> None:
    source = tmp_path / "source.zip"
    with zipfile.ZipFile(source, "w") as zipped:
        zipped.writestr("app.py", "x = 1\n")
        zipped.writestr("botocore/data/ec2/service-2.json", "{}")
    slimmed = [bundle.slim(source, tmp_path / name, precompile=True).read_bytes() for name in ("1.zip", "2.zip")]
    assert slimmed[0] == slimmed[1]


def test_an_old_python_is_refused_and_told_what_to_do() -> None:
    with pytest.raises(package.PackagingFailed, match=r"3\.12 or newer.*PYTHON=python3\.12"):
        package.check_python((3, 11), allow=False)
    package.check_python((3, 11), allow=True)
    package.check_python((3, 12), allow=False)


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    with pytest.raises(package.PackagingFailed, match=r"'staging'.*dev, prod"):
        package.stage_variables(ROOT, "staging")


def test_a_requirement_that_is_not_in_the_zip_fails_packaging(packaged: Any, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# a comment\npynamodb==6.1.0\nnumpy==2.5.0\n")
    with pytest.raises(package.PackagingFailed, match=r"not in the zip: numpy==2\.5\.0;"):
        package.check_wheels(packaged.archive, requirements)


def test_a_requirement_in_another_version_fails_packaging(packaged: Any, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pynamodb==6.0.9\n")
    with pytest.raises(package.PackagingFailed, match=r"pynamodb==6\.0\.9"):
        package.check_wheels(packaged.archive, requirements)


def test_a_requirement_without_a_pinned_version_fails_packaging(packaged: Any, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("pynamodb>=6\n")
    with pytest.raises(package.PackagingFailed, match="name==version"):
        package.check_wheels(packaged.archive, requirements)


def test_a_library_without_a_wheel_for_lambda_fails_packaging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chalice itself leaves it out, says so in a sentence, and calls that success."""
    links, app = tmp_path / "links", tmp_path / "app"
    links.mkdir()
    (app / ".chalice").mkdir(parents=True)
    # pip takes this wheel on this machine; the function is to run on the other kind of machine.
    make_wheel(links / f"only_here-1.0-py3-none-linux_{platform.machine()}.whl")
    other = "x86_64" if platform.machine() == "aarch64" else "arm64"
    config = {"version": "2.0", "app_name": "tiny", "stages": {"dev": {}}, "lambda_architecture": other}
    (app / ".chalice" / "config.json").write_text(json.dumps(config))
    (app / "requirements.txt").write_text("only-here==1.0\n")
    (app / "app.py").write_text(TINY)
    (tmp_path / "merge.json").write_text("{}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    with pytest.raises(package.PackagingFailed, match=r"Could not install dependencies:\s+only-here==1\.0"):
        package.run_chalice(app, "dev", tmp_path / "merge.json", tmp_path / "made")


def test_a_library_that_was_compiled_on_this_machine_fails_packaging(tmp_path: Path) -> None:
    """Chalice compiles what has no wheel; what comes out needs this machine's libraries, not Lambda's."""
    archive, requirements = tmp_path / "deployment.zip", tmp_path / "requirements.txt"
    make_wheel(archive, f"only_here-1.0-cp312-cp312-linux_{platform.machine()}")
    requirements.write_text("only-here==1.0\n")
    with pytest.raises(package.PackagingFailed, match="compiled on this machine: only_here-1"):
        package.check_wheels(archive, requirements)


def test_the_command_ends_with_1_and_a_sentence(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "infra.package", "--stage", "none", "--allow-python", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("packaging failed: no stage 'none'")


def make_wheel(path: Path, stem: str = "") -> None:
    """An empty wheel named ``stem``, by default as its file is."""
    name, version, tag = (stem or path.stem).split("-", 2)
    with zipfile.ZipFile(path, "w") as wheel:
        info = f"{name}-{version}.dist-info"
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")
