"""Pictures are known by their bytes."""

from __future__ import annotations

import pytest

from anyond.files.sniff import GIF, JPEG, PNG, SVG, WEBP, Sort, sniff
from tests.support.http import pictures


@pytest.mark.parametrize(
    ("data", "sort"),
    [
        (pictures.png(), PNG),
        (pictures.JPEG, JPEG),
        (pictures.GIF, GIF),
        (b"GIF87a" + pictures.GIF[6:], GIF),
        (pictures.WEBP, WEBP),
        (pictures.SVG, SVG),
        (b"\xef\xbb\xbf" + pictures.SVG, SVG),
        (b"\n  <?xml version='1.0'?><!-- x --><!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>", SVG),
        (b"<s:svg xmlns:s='http://www.w3.org/2000/svg'>", SVG),
        ("<?xml version='1.0' encoding='utf-16'?><svg>ü</svg>".encode("utf-16"), SVG),
    ],
)
def test_a_picture_is_known_by_its_content(data: bytes, sort: Sort) -> None:
    assert sniff(data) == sort


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<",
        b"BM" + bytes(60),
        b"\x89PNG\r\n\x1a\nnot really",
        b"RIFF....WAVE",
        b"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>",
        b"<svg xmlns='urn:other'/>",
        b"<?xml version='1.0' encoding='klingon'?><svg/>",
        b"plain text about <svg>",
        bytes(1000),
    ],
)
def test_everything_else_is_no_picture(data: bytes) -> None:
    assert sniff(data) is None


def test_a_bomb_of_entities_is_not_set_off() -> None:
    entities = "".join(f"<!ENTITY e{n + 1} '{f'&e{n};' * 10}'>" for n in range(9))
    bomb = f"<!DOCTYPE svg [<!ENTITY e0 'x'>{entities}]><svg>&e9;</svg>"
    assert sniff(bomb.encode()) == SVG
