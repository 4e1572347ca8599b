"""Several Compose files: where a problem is, what is refused, and that values of variables aren't shown."""

from pathlib import Path

import pytest

from swarm.declare import compose
from swarm.declare.reader import Reader
from swarm.declare.settings import StackConfig


def problems(folder: Path, *texts: str, **variables: str) -> list[str]:
    paths = tuple(folder / f"{at}.yaml" for at in range(len(texts)))
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    reader = Reader()
    compose.read(reader, StackConfig("demo", paths, variables))
    return [str(one).removeprefix(f"{folder}/") for one in reader.problems]


BASE = "services:\n  p:\n    image: x\n    ports: ['8:1']\n    environment: [A=1]"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("services:\n  p:\n    key: x", "1.yaml:3: services.p.key: "),
        ("services:\n  p:\n    ports:\n    - '7:1'\n    - x:y", "1.yaml:5: services.p.ports[1]"),
        ("services:\n  q: {}", "1.yaml:2: services.q.image: is missing"),
        ("services: {p: {image: '${GONE}'}}", "1.yaml:1: services.p.image: variable GONE"),
        ("services: {p: }", "1.yaml:1: services.p: must be a mapping"),
        ("[]", "1.yaml:1: must be a mapping"),
        ("version: '3.8'\nservices: {p: {user: '1'}}", "1.yaml:1: version: files of one stack"),
        ("services: {p: {ports: ['9:1', '9:2/udp']}}", "1.yaml:1: services.p.ports[1]: of two ports"),
        ("services: {p: {env_file: gone}}", "1.yaml:1: services.p.env_file"),
    ],
)
def test_a_problem_is_in_the_file_that_has_it(tmp_path: Path, override: str, said: str) -> None:
    (found,) = problems(tmp_path, BASE, override)
    assert found.startswith(said)


def test_a_problem_of_the_first_file_is_there(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f"{BASE}\n    key: x", "services: {p: {image: y}}")
    assert found.startswith("0.yaml:6: services.p.key")


@pytest.mark.parametrize("text", ["init: $A", "ports: ['$A:1']", "deploy: {replicas: $A}", "networks: [$A]"])
def test_no_value_of_a_variable_is_shown(tmp_path: Path, text: str) -> None:
    found = problems(tmp_path, f"services: {{p: {{image: x, {text}}}}}", A="swordfish")
    assert found
    assert "swordfish" not in "".join(found)
