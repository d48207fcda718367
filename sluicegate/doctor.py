"""`sluicegate doctor`: what is installed, and whether the core answers as it should."""

from __future__ import annotations

import platform
import sys

from sluicegate import __version__
from sluicegate.installation import examine_libraries, installed_version, static_table_problem

REQUIRED = ("jinja2", "numba", "numpy", "polars", "pyarrow", "pydantic", "pyyaml")
OPTIONAL = {"huggingface-hub": "hf:// benchmarks: pip install 'sluicegate[hub]'"}


def examine() -> tuple[str, bool]:
    """Return a report in words and whether everything needed works."""
    lines = [
        f"sluicegate {__version__}",
        f"Python {platform.python_version()} on {sys.platform}",
    ]
    missing = []
    for name in REQUIRED:
        found = installed_version(name)
        lines.append(f"  {name} {found or 'MISSING'}")
        if found is None:
            missing.append(name)
    for name, use in OPTIONAL.items():
        lines.append(f"  {name} {installed_version(name) or f'not installed ({use})'}")
    if missing:
        lines.append(f"broken: install {', '.join(missing)}")
        return "\n".join(lines), False
    libraries = examine_libraries()
    lines += [*libraries.lines, *(f"broken: {line}" for line in libraries.broken)]
    problem = _self_test()
    lines.append(problem or "the normal form and its kernels agree: the core works")
    table = static_table_problem()
    lines.append(table or "the static table is whole: meanings are found without torch")
    return "\n".join(lines), problem is None and table is None and not libraries.broken


def _self_test() -> str | None:
    """Compile a kernel and hold it against the definition; return what is wrong, if anything."""
    from corpora.normal_form import fingerprint, words
    from corpora.reference_form import reference_words
    from indexes.background import load_background

    text = "Ｆｕｌｌ wi\u200bdth, thе 学校 naïve ½"
    places = [(start, end) for _, start, end in reference_words(text)]
    found = words(text)
    if list(zip(found.starts.tolist(), found.ends.tolist(), strict=True)) != places:
        return "broken: the compiled normal form disagrees with its definition; reinstall numba"
    try:
        load_background()
    except (OSError, ValueError) as error:
        return f"broken: {error} (normal form {fingerprint()})"
    return None
