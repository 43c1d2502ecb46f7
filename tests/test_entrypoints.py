"""Each Lambda function starts by itself, and with no more than it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def modules_after(statement: str) -> set[str]:
    """What a fresh interpreter has imported after a statement."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


def test_the_api_starts_without_numpy_and_without_boto3():
    found = modules_after("import app")
    assert not {"numpy", "reportlab", "boto3", "s3transfer"} & found
    assert "botocore.session" in found


@pytest.mark.parametrize(
    "module", ["chalicelib.notices.events", "chalicelib.rating.events", "chalicelib.reports.events"]
)
def test_event_functions_start_without_the_app_and_without_the_shapes_of_the_api(module):
    found = modules_after(f"import {module}")
    assert not {"app", "pydantic", "numpy", "chalicelib.web", "itsdangerous", "boto3"} & found
