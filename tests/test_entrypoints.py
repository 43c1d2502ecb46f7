"""Each Lambda function starts by itself, and with no more than it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent


def modules_after(statement: str) -> set[str]:
    """What a fresh interpreter has imported after a statement."""
    return set(printed_by(f"{statement}\nimport sys\nprint(*sys.modules)"))


def printed_by(code: str) -> list[str]:
    """The words that a fresh interpreter prints."""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True
    )
    return ran.stdout.split()


def test_the_api_starts_without_numpy_and_without_boto3():
    found = modules_after("import app")
    assert not {"numpy", "isal", "reportlab", "boto3", "s3transfer"} & found
    assert "botocore.session" in found


SHAPES = """
import app
from chalicelib.fields import Query, Shape
shapes = [Query, Shape]
for shape in shapes:
    shapes += shape.__subclasses__()
texts = [str in map(type, shape.__dict__.get("__annotations__", {}).values()) for shape in shapes]
print(len(shapes), sum(texts), *(shape.__name__ for shape in shapes if shape.__pydantic_complete__))
"""


def test_the_api_starts_with_shapes_that_have_no_annotations_as_text_and_no_validators_yet():
    count, texts, *built = printed_by(SHAPES)
    assert int(count) > 100
    # pydantic builds a generic shape when it is given its parameter.
    assert (texts, built) == ("0", ["Page"])


def test_the_api_looks_for_garbage_only_when_it_has_started():
    code = "import gc, app; print(gc.isenabled(), gc.get_freeze_count() > 50_000, gc.get_stats()[2]['collections'])"
    assert printed_by(code) == ["True", "True", "0"]


@pytest.mark.parametrize(
    "module", ["chalicelib.notices.events", "chalicelib.rating.events", "chalicelib.reports.events"]
)
def test_event_functions_start_without_the_app_and_without_the_shapes_of_the_api(module):
    found = modules_after(f"import {module}")
    assert not {"app", "pydantic", "numpy", "chalicelib.web", "itsdangerous", "boto3"} & found
