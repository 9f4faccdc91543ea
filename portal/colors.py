"""Colors derived from the declared accent: as a background under text, and as text on light and dark.

Contrast follows WCAG 2.2: whatever accent is declared, text keeps at least 4.5 to 1.
"""

from dataclasses import dataclass

Rgb = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
DARK = (24, 28, 35)  # --surface of the dark theme
READABLE = 4.6  # the contrast of text: WCAG requires 4.5, the rest is for rounding
VISIBLE = 3.1  # of lines and icons: WCAG requires 3


@dataclass(frozen=True)
class Palette:
    """The colors derived from an accent, as #rrggbb."""

    on_accent: str  # text on the accent
    light_ink: str  # text in the accent's hue on a light background
    dark_ink: str  # the same on a dark background
    light_line: str
    dark_line: str


def palette(accent: str) -> Palette:
    """The colors derived from `accent` (#rrggbb)."""
    red, green, blue = bytes.fromhex(accent.removeprefix("#"))
    color = (red, green, blue)
    return Palette(
        on_accent=_hex(WHITE if contrast(color, WHITE) >= READABLE else BLACK),
        light_ink=_hex(_towards(_mix(color, BLACK, 0.12), BLACK, [WHITE, _mix(color, WHITE, 0.88)])),
        dark_ink=_hex(_towards(color, WHITE, [DARK, _mix(color, DARK, 0.7)])),
        light_line=_hex(_towards(color, BLACK, [WHITE], VISIBLE)),
        dark_line=_hex(_towards(color, WHITE, [DARK], VISIBLE)),
    )


def tokens(accent: str) -> str:
    """CSS with the color tokens: replaces the default ones with those of `accent` (#rrggbb)."""
    colors = palette(accent)
    return (
        f"@layer tokens{{:root{{--accent:{accent};--on-accent:{colors.on_accent};"
        f"--accent-ink:light-dark({colors.light_ink},{colors.dark_ink});"
        f"--accent-line:light-dark({colors.light_line},{colors.dark_line})}}}}"
    )


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colors, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _towards(color: Rgb, end: Rgb, backgrounds: list[Rgb], ratio: float = READABLE) -> Rgb:
    """`color` mixed with `end` until its contrast on each of `backgrounds` is at least `ratio`."""
    for step in range(21):
        mixed = _mix(color, end, step / 20)
        if all(contrast(mixed, background) >= ratio for background in backgrounds):
            return mixed
    return end


def _mix(color: Rgb, end: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, end, strict=True))
    return red, green, blue


def _luminance(color: Rgb) -> float:
    parts = [part / 255 for part in color]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(color: Rgb) -> str:
    return f"#{bytes(color).hex()}"
