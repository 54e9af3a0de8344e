"""What becomes of a person's words before an agent reads them."""

from __future__ import annotations

import pytest

from anyond.machines.prompt import expand_tags, find_images, show_images

TAGS = {"review": "Please review.", "a.b": "AB", "self": "@self @review", "grösse": "SIZE"}


def expanded(text: str) -> str:
    return expand_tags(text, lambda name: TAGS.get(name.casefold()))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("@review", "Please review."),
        ("Now @Review, then (@review).", "Now Please review., then (Please review.)."),
        ("@a.b. @a.b!", "AB. AB!"),
        ("@GRÖSSE", "SIZE"),
        ("first\n@review\nlast", "first\nPlease review.\nlast"),
        ("@self", "@self @review"),
    ],
)
def test_a_mention_of_a_tag_becomes_its_content_once(text: str, result: str) -> None:
    assert expanded(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "someone@review",
        "@reviewer",
        "@review/file.py",
        "@review.py",
        "\\@review",
        "@@review",
        "@",
        "@ review",
        "`@review`",
        "```python\n@review\ndef f(): ...\n```",
        "```\n@review",
    ],
)
def test_what_is_no_mention_stays_as_it_is(text: str) -> None:
    assert expanded(text) == text


def test_text_around_code_is_still_looked_at() -> None:
    assert expanded("`@review` @review ```x``` @review") == (
        "`@review` Please review. ```x``` Please review."
    )


def test_images_that_a_prompt_does_not_mention_are_shown_at_its_end() -> None:
    images = [("one", ".vibe/images/1.png"), ("a]\n[b", ".vibe/images/2.png")]
    assert show_images("See ![x](.vibe/images/1.png)", images) == (
        "See ![x](.vibe/images/1.png)\n\n![a b](.vibe/images/2.png)"
    )
    assert show_images("", images[:1]) == "![one](.vibe/images/1.png)"
    assert show_images("Nothing", []) == "Nothing"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("![x](.vibe/images/1.png)", "![x](/w/.vibe/images/1.png)"),
        ("a ![](./.vibe/images/1.png) b", "a ![](/w/.vibe/images/1.png) b"),
        ("[x](.vibe/images/1.png)", "[x](.vibe/images/1.png)"),
        ("![x](images/1.png)", "![x](images/1.png)"),
        ("![x](https://e/.vibe/images/1.png)", "![x](https://e/.vibe/images/1.png)"),
    ],
)
def test_links_to_images_of_the_worktree_become_absolute(text: str, result: str) -> None:
    assert find_images(text, "/w") == result


def test_a_worktree_with_blanks_in_its_path_still_makes_a_link() -> None:
    assert find_images("![x](.vibe/images/1.png)", "/my work") == (
        "![x](</my work/.vibe/images/1.png>)"
    )
