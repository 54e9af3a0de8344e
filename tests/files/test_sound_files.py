"""Every sound is a small, proper, audible WAV file, and always the same one."""

from __future__ import annotations

import io
import wave
from array import array

import pytest

from anyond.files.sounds import RATE, wav
from anyond.model.configuration.settings import SoundFile


@pytest.mark.parametrize("sound", SoundFile)
def test_a_sound_is_small_proper_and_audible(sound: SoundFile) -> None:
    content = wav(sound)
    assert len(content) < 50_000
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        samples = array("h", file.readframes(file.getnframes()))
    assert 0.2 < len(samples) / RATE < 2
    assert 15_000 < max(samples) < 32_767
    assert abs(samples[0]) < 500
    assert abs(samples[-1]) < 500
    assert abs(sum(samples) / len(samples)) < 300  # no direct current


def test_no_two_sounds_are_the_same_and_none_changes() -> None:
    first = [wav(sound) for sound in SoundFile]
    assert len(set(first)) == len(SoundFile)
    wav.cache_clear()
    assert [wav(sound) for sound in SoundFile] == first
