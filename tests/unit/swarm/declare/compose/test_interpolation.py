"""Variables in texts: every form, defaults in defaults, and that no value is ever shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.declare.compose.interpolation import DEEPEST, interpolate


@pytest.mark.parametrize(
    ("source", "filled"),
    [
        ("$TAG ${TAG}", "1 1"),
        ("${EMPTY:-2}${EMPTY-3}", "2"),
        ("${GONE:-}${GONE-4}", "4"),
        ("${TAG:?no}${TAG?no}", "11"),
        ("$$TAG", "$TAG"),
        ("${TAG:+2}${TAG+3}${GONE:+4}${GONE+5}", "23"),
        ("${EMPTY:+2}${EMPTY+3}", "3"),
        ("${GONE:-${EMPTY:-${TAG}}}", "1"),
        ("${GONE:-a${GONE:-b}c}d", "abcd"),
        ("${TAG:-${GONE}}", "1"),
        ("${TAG:+<$TAG>}", "<1>"),
        ("${GONE:-{{.Node.Hostname}}}", "{{.Node.Hostname}}"),
        ("${GONE:-$$}{}", "${}"),
    ],
)
def test_variables_are_filled_in(source: str, filled: str) -> None:
    assert interpolate(source, {"TAG": "1", "EMPTY": ""}) == filled


@pytest.mark.parametrize(
    "source",
    [
        "$GONE",
        "${GONE}",
        "${EMPTY:?why}",
        "${GONE?why}",
        "${TAG",
        "$1",
        "${TAG!}",
        "${}",
        "${GONE:-${GONE}}",
        "${GONE:-${TAG}",
        "a$",
    ],
)
def test_a_variable_without_a_value_or_in_another_form_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"variable|none of"):
        interpolate(source, {"TAG": "1", "EMPTY": ""})


def test_a_message_of_the_file_is_shown_and_the_values_in_it_are_not() -> None:
    with pytest.raises(ValueError, match=r"^variable GONE set it beside \$TAG$"):
        interpolate("${GONE:?set it beside $TAG}", {"TAG": "swordfish"})


@pytest.mark.parametrize("depth", [DEEPEST + 1, 100_000])
def test_defaults_that_are_nested_beyond_any_use_are_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="nested deeper than 20 levels"):
        interpolate("${A:-" * depth + "}" * depth, {})


# A model: a text is a list of what is plain and of variables: name, how, and a word that is a text again.
Part = str | tuple[str, str, "list[Part]"]
VALUES = {"SET": "a$b}", "EMPTY": ""}
PLAIN = st.text("a{ :-?+", max_size=3)


def variable(words: st.SearchStrategy[list[Part]]) -> st.SearchStrategy[Part]:
    how = st.sampled_from(["", "-", ":-", "+", ":+", "?", ":?"])
    return st.tuples(st.sampled_from(["SET", "EMPTY", "GONE"]), how, words)


TEXTS = st.recursive(
    st.lists(PLAIN | st.just("$$"), max_size=2),
    lambda inner: st.lists(PLAIN | variable(inner), max_size=3),
    max_leaves=8,
)


def written(text: list[Part]) -> str:
    return "".join(
        one if isinstance(one, str) else f"${{{one[0]}{one[1]}{written(one[2]) if one[1] else ''}}}"
        for one in text
    )


def meant(text: list[Part]) -> str:
    return "".join(one.replace("$$", "$") if isinstance(one, str) else value(*one) for one in text)


def value(name: str, how: str, word: list[Part]) -> str:
    given = VALUES.get(name)
    there = bool(given) if how[:1] == ":" else given is not None
    if how[-1:] == "+":
        return meant(word) if there else ""
    if not there and how[-1:] == "-":
        return meant(word)
    if not there:
        raise LookupError
    return str(given)


@given(TEXTS)
def test_any_text_means_what_a_model_says(text: list[Part]) -> None:
    try:
        expected = meant(text)
    except LookupError:
        with pytest.raises(ValueError, match="variable"):
            interpolate(written(text), VALUES)
    else:
        assert interpolate(written(text), VALUES) == expected
