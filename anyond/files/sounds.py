"""The notification sounds: each is computed, none is a recording."""

from __future__ import annotations

import io
import math
import wave
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise

from anyond.model.configuration.settings import SoundFile

RATE = 16_000
"""Samples a second; all sounds are mono, 16 bits."""
_LOUDNESS = 0.7

Curve = Callable[[float], float]
"""A value at each moment, in seconds."""


@cache
def wav(sound: SoundFile) -> bytes:
    """The sound as a WAV file; the same bytes for ever. Takes some 50 ms the first time."""
    samples = _RECIPES[sound]()
    peak = max(abs(sample) for sample in samples)
    scale = _LOUDNESS * 32767 / peak
    data = array("h", (round(sample * scale) for sample in samples))
    if not _LITTLE_ENDIAN:
        data.byteswap()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(data.tobytes())
    return file.getvalue()


_LITTLE_ENDIAN = array("h", [1]).tobytes() == b"\x01\x00"

# ---------------------------------------------------------------- how sounds are made


def _voice(
    seconds: float, pitch: Curve, loudness: Curve, formants: Mapping[float, float], highest: float
) -> list[float]:
    """A throat: a pitch with its overtones, of which those near the formants are loud.

    Args:
        formants: frequency -> width, in Hz.
        highest: Hz above which there is nothing.
    """

    def gain(frequency: float) -> float:
        return sum(1 / (1 + ((frequency - f) / width) ** 2) for f, width in formants.items())

    samples = []
    phase = 0.0
    for n in range(int(seconds * RATE)):
        at = n / RATE
        hertz = pitch(at)
        phase += math.tau * hertz / RATE
        if n % 64 == 0:  # a mouth moves slowly
            overtones = range(1, int(highest / hertz) + 1)
            gains = [(k, gain(k * hertz) / k) for k in overtones]
        samples.append(loudness(at) * sum(g * math.sin(k * phase) for k, g in gains))
    return samples


def _bell(seconds: float, hertz: float, partials: Mapping[float, float]) -> list[float]:
    """Something struck: each partial dies away, the high ones sooner.

    Args:
        partials: multiple of `hertz` -> loudness.
    """
    samples = []
    for n in range(int(seconds * RATE)):
        at = n / RATE
        attack = min(1.0, at / 0.004)
        samples.append(
            attack
            * sum(
                loud
                * math.exp(-at * 5 * math.sqrt(times))
                * math.sin(math.tau * hertz * times * at)
                for times, loud in partials.items()
            )
        )
    return _faded(samples)


def _mixed(parts: Sequence[tuple[float, list[float]]]) -> list[float]:
    """Sounds over one another, each from its moment on."""
    length = max(int(start * RATE) + len(samples) for start, samples in parts)
    mix = [0.0] * length
    for start, samples in parts:
        for n, sample in enumerate(samples, int(start * RATE)):
            mix[n] += sample
    return mix


def _faded(samples: list[float], seconds: float = 0.03) -> list[float]:
    count = int(seconds * RATE)
    for n in range(min(count, len(samples))):
        samples[-1 - n] *= n / count
    return samples


def _through(*points: tuple[float, float]) -> Curve:
    """The curve that goes straight from point to point."""

    def at(moment: float) -> float:
        for (t0, v0), (t1, v1) in pairwise(points):
            if moment < t1:
                return v0 + (v1 - v0) * (moment - t0) / (t1 - t0)
        return points[-1][1]

    return at


# ---------------------------------------------------------------- the sounds


def _two_bells() -> list[float]:
    partials = {1.0: 1.0, 2.0: 0.4, 3.01: 0.15}
    return _mixed([(0.0, _bell(0.5, 659.3, partials)), (0.16, _bell(0.8, 987.8, partials))])


def _rising_wood() -> list[float]:
    partials = {1.0: 1.0, 3.9: 0.5, 9.2: 0.12}
    notes = (392.0, 493.9, 587.3, 784.0)
    return _mixed([(0.11 * n, _bell(0.45, note, partials)) for n, note in enumerate(notes)])


def _glass() -> list[float]:
    partials = {1.0: 1.0, 2.76: 0.6, 5.4: 0.25}
    return _bell(1.1, 1046.5, partials)


def _drop() -> list[float]:
    pitch = _through((0.0, 420.0), (0.09, 1250.0), (0.14, 1250.0))
    one = _voice(
        0.14, pitch, _through((0, 0), (0.01, 1), (0.05, 0.8), (0.14, 0)), {900.0: 900.0}, 1500.0
    )
    return _mixed([(0.0, one), (0.17, [0.6 * sample for sample in one])])


def _cow() -> list[float]:
    pitch = _through((0.0, 135.0), (0.25, 175.0), (0.9, 165.0), (1.35, 115.0))
    loudness = _through((0.0, 0.0), (0.12, 0.5), (0.35, 1.0), (1.0, 0.9), (1.35, 0.0))
    return _voice(1.35, pitch, loudness, {300.0: 90.0, 820.0: 160.0, 2300.0: 200.0}, 2600.0)


def _phone() -> list[float]:
    motor = _voice(
        0.36,
        lambda at: 172 + 6 * math.sin(math.tau * 21 * at),
        _through((0.0, 0.0), (0.03, 1.0), (0.31, 1.0), (0.36, 0.0)),
        {172.0: 150.0, 700.0: 300.0},
        1600.0,
    )
    return _mixed([(0.0, motor), (0.52, motor)])


def _rooster() -> list[float]:
    syllables = (
        (0.00, 0.13, ((0.0, 560.0), (0.13, 640.0))),
        (0.17, 0.10, ((0.0, 700.0), (0.10, 720.0))),
        (0.30, 0.20, ((0.0, 690.0), (0.12, 900.0), (0.20, 840.0))),
        (0.54, 0.70, ((0.0, 860.0), (0.15, 980.0), (0.45, 900.0), (0.70, 520.0))),
    )
    parts = []
    for start, seconds, points in syllables:
        loudness = _through((0.0, 0.0), (0.02, 1.0), (seconds * 0.75, 0.8), (seconds, 0.0))
        throat = {1100.0: 350.0, 2700.0: 500.0}
        parts.append((start, _voice(seconds, _through(*points), loudness, throat, 5200.0)))
    return _mixed(parts)


_RECIPES: Mapping[SoundFile, Callable[[], list[float]]] = {
    SoundFile.ABSTRACT_SOUND1: _two_bells,
    SoundFile.ABSTRACT_SOUND2: _rising_wood,
    SoundFile.ABSTRACT_SOUND3: _glass,
    SoundFile.ABSTRACT_SOUND4: _drop,
    SoundFile.COW_MOOING: _cow,
    SoundFile.PHONE_VIBRATION: _phone,
    SoundFile.ROOSTER: _rooster,
}
