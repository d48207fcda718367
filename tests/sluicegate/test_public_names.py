"""The names of the public API: what the README calls, and what `sluicegate` gives."""

import inspect
import re
from pathlib import Path

import sluicegate
from sluicegate import api, corpus_api, index_api


def test_every_function_of_the_api_is_a_name_of_the_package():
    functions = {
        name: value
        for module in (api, corpus_api, index_api)
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_"
    }
    assert {*functions, "__version__"} == set(sluicegate.__all__)
    assert all(getattr(sluicegate, name) is function for name, function in functions.items())


def test_every_function_that_the_readme_calls_is_there():
    readme = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    called = set(re.findall(r"\bsluicegate\.(\w+)\(", readme))
    assert {"scan", "drift", "gate"} <= called
    assert called <= set(sluicegate.__all__)
