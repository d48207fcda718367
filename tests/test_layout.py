"""The generic import names are ours, and the README knows every command."""

import argparse
import importlib
from pathlib import Path

import pytest

from sluicegate.cli import build_parser

ROOT = Path(__file__).parents[1]
PACKAGES = ["corpora", "flows", "indexes", "pipelines", "reports", "scanners", "sluicegate"]


def commands():
    (subparsers,) = [
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    return sorted(subparsers.choices)


@pytest.mark.parametrize("name", PACKAGES)
def test_import_names_resolve_inside_the_repository(name):
    package = importlib.import_module(name)
    assert Path(package.__file__) == ROOT / name / "__init__.py"


def test_every_package_of_the_repository_is_in_the_wheel():
    found = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    assert found == PACKAGES
    wheel = [
        line
        for line in (ROOT / "pyproject.toml").read_text().splitlines()
        if "packages = [" in line
    ]
    assert all(f'"{name}"' in wheel[0] for name in PACKAGES)


def test_tests_have_no_packages():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize("command", commands())
def test_the_readme_shows_every_command(command):
    assert f"sluicegate {command}" in (ROOT / "README.md").read_text(encoding="utf-8")
