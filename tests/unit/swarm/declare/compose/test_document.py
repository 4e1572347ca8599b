"""Files that would hang or crash what reads them: one problem each, with its line."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from swarm.declare import compose
from swarm.declare.compose.document import Document
from swarm.declare.reader import MOST, Reader
from swarm.declare.settings import StackConfig
from tests.unit.given import ReadStack

ALIASES = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
MERGES = "".join(f"m{i}: &a{i}\n  <<: [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
BAD = {
    "aliases nine levels deep": (f"a0: &a0 [{'x, ' * 9}]\n{ALIASES}", "it has more than 100000 values"),
    "merges nine levels deep": (f"a0: &a0 {{k: v}}\n{MERGES}", "it has more than 100000 values"),
    "an alias to itself": ("a: &a [*a]", "inside of what it stands for"),
    "an alias to itself in a mapping": ("a: &a {b: [{c: *a}]}", "inside of what it stands for"),
    "a merge of itself": ("a: &a\n  <<: *a", "inside of what it stands for"),
    "deep lists": ("[" * 100_000, "deeper than 50 levels"),
    "deep mappings": ("{a: " * 5000, "deeper than 50 levels"),
    "deep blocks": ("- " * 5000 + "x", "deeper than 50 levels"),
    "a number of 5000 digits": (f"a: {'9' * 5000}", "no int can be made of this"),
    "a hexadecimal number of 5000 digits": (f"a: 0x{'f' * 5000}", "no int can be made of this"),
    "a number without digits": ("a: 0x_", "no int can be made of this"),
    "a tag that the value isn't of": ("a: !!float x", "no float can be made of this"),
    "a boolean that is none": ("a: !!bool x", "no bool can be made of this"),
    "a kind of value that JSON has not": ("a: !!set [a]", "could not determine a constructor for the tag"),
    "a control character": ("a: b\nc: \x01", "a control character is in it"),
}


@pytest.mark.parametrize(("text", "problem"), BAD.values(), ids=BAD.keys())
def test_a_file_beyond_any_use_is_one_problem_with_its_line_at_once(
    read: ReadStack, text: str, problem: str
) -> None:
    began = time.process_time()
    ((key, rule),) = read(text)[1]
    assert time.process_time() - began < 10
    assert problem in rule
    assert key.isdigit()
    with pytest.raises(yaml.MarkedYAMLError):
        Document(text)


def test_what_people_write_is_none_of_that() -> None:
    deep = "[" * 40 + "]" * 40
    aliases = "a: &a {b: c}\n" + "".join(f"k{i}: *a\n" for i in range(1000))
    data: Any = Document(f"{aliases}deep: {deep}\n").data
    assert data["k999"] == {"b": "c"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("zero", "it is no regular file"),
        ("fifo", "it is no regular file"),
        ("folder", "it is no regular file"),
        ("large", "it has more than 1024 KiB"),
        ("latin", "it is no text in UTF-8"),
        ("gone", "No such file or directory"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_what_is_no_file_of_text_is_not_read(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "latin").write_bytes("# ä".encode("latin-1"))
    with (tmp_path / "large").open("wb") as large:
        large.truncate(1 << 40)
    reader = Reader()
    compose.read(reader, StackConfig("demo", (tmp_path / name,)))
    assert [one.rule for one in reader.problems] == [f"can't be read: {why}"]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "stack.yaml"
    path.write_bytes("\ufeffservices: {p: {image: x, labels: {a: ä}}}".encode())
    reader = Reader()
    assert compose.read(reader, StackConfig("demo", (path,))).services[0].container_labels == {"a": "ä"}
    assert not reader.problems


def test_of_very_many_problems_as_many_are_told_as_somebody_reads(read: ReadStack) -> None:
    problems = read("services:\n" + "".join(f"  p{i}: {{key: x}}\n" for i in range(2 * MOST)))[1]
    assert len(problems) == MOST


@pytest.mark.parametrize(("text", "flag"), [("on", True), ("No", False), ("true", True), ("y", True)])
def test_a_variable_is_a_boolean_where_one_belongs(read: ReadStack, text: str, flag: bool) -> None:
    file = "services: {p: {image: x, read_only: '${FLAG}', hostname: '${FLAG}'}}"
    stack, problems = read(file, FLAG=text)
    assert (stack.services[0].read_only, stack.services[0].hostname, problems) == (flag, text, [])
