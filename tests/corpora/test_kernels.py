"""Which sources the folder of compiled kernels is named after."""

import re
from pathlib import Path

from corpora import kernels

ROOT = Path(__file__).parents[2]


def write_sources(root, **texts):
    for name in kernels.SOURCES:
        (root / name).mkdir()
    for name, text in texts.items():
        folder, module = name.split("__")
        (root / folder / f"{module}.py").write_text(text)


def test_sources_are_the_modules_with_kernels_and_all_that_they_import(tmp_path):
    write_sources(
        tmp_path,
        scanners__a="from indexes.b import SIZE\n@kernel\ndef f(): pass\n",
        indexes__b="from corpora.c import BASE\nSIZE = BASE + 1\n",
        corpora__c="BASE = 1\n",
        corpora__d="from scanners.a import f\n",
    )
    found = kernels._kernel_sources(tmp_path)
    assert len(found) == 3
    assert b"BASE = 1\n" in found


def test_no_module_imports_ours_in_a_form_that_the_search_does_not_see():
    ours = "|".join(kernels.SOURCES)
    unseen = re.compile(rf"^ *(import ({ours})\b|from ({ours}) import)", re.MULTILINE)
    with_kernels = {
        path
        for name in kernels.SOURCES
        for path in (ROOT / name).glob("*.py")
        if path.read_bytes() in kernels._kernel_sources(ROOT)
    }
    assert len(with_kernels) > 20
    assert [path.name for path in sorted(with_kernels) if unseen.search(path.read_text())] == []
