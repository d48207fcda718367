"""Mistakes in a YAML file are one line with file, line, key and mend, whatever the model."""

import pytest
from pydantic import Field

from corpora.problems import CorpusError
from corpora.yaml_file import Strict, read_model, read_yaml


class Limit(Strict):
    share: float = Field(ge=0, le=1)
    domain: str | None = None


class Policy(Strict):
    name: str
    limits: tuple[Limit, ...] = ()
    by_domain: dict[str, Limit | None] = Field(default_factory=dict)


GOOD = "name: a\nlimits:\n  - share: 0.5\nby_domain:\n  web: {share: 1}\n"


def write(folder, text):
    path = folder / "policy.yaml"
    path.write_text(text)
    return path.as_posix()


def test_a_model_is_read_with_its_places_and_digest(tmp_path):
    file = read_yaml(write(tmp_path, GOOD), Policy, "policy.yaml")
    assert file.value == Policy(
        name="a", limits=(Limit(share=0.5),), by_domain={"web": Limit(share=1)}
    )
    assert file.place("limits", 0, "share").endswith("policy.yaml, line 3")
    assert file.place("by_domain", "web", "share").endswith("line 5")
    assert len(file.digest) == 64


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty; it needs the key name"),
        (
            GOOD + "limit: 3\n",
            "line 6: unknown key 'limit'; did you mean 'limits'?; known keys are name",
        ),
        (
            GOOD.replace("- share", "- shar: 1\n    share"),
            "line 3: unknown key 'limits.0.shar'; did you mean 'share'?",
        ),
        (
            GOOD.replace("{share", "{domian: a, share"),
            "line 5: unknown key 'by_domain.web.domian'; did you mean 'domain'?",
        ),
        (GOOD.replace("0.5", "5"), "line 3: limits.0.share: Input should be less than or equal"),
        (GOOD.replace("name: a", "name: 2026-06-31"), "not valid YAML: day"),  # there is no 31st
        (GOOD.replace("name: a", "name: &a [*a]"), "line 1: name: Input should be a valid string"),
        ("[" * 100_000, "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_line_and_key(tmp_path, text, said):
    with pytest.raises(CorpusError) as caught:
        read_model(write(tmp_path, text), Policy, "policy.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_many_aliases_cost_no_time(tmp_path):
    lines = ["name:", "- &a0 [x, x]"]
    lines += [f"- &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    with pytest.raises(
        CorpusError, match="line 1: name: Input should be a valid string, not a list"
    ):
        read_model(write(tmp_path, "\n".join(lines)), Policy, "policy.yaml")
