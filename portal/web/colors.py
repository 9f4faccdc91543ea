"""The administrator's one colour, made readable: as ground under text, and as text on light and on dark.

Contrast is that of WCAG 2.2; whatever accent is declared, text keeps at least 4.5 to 1.
"""

Rgb = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
DARK = (24, 28, 35)  # --surface of the dark theme
ENOUGH = 4.6  # a little more than is asked, for rounding


def tokens(accent: str) -> str:
    """CSS that puts `accent` (#rrggbb) and what follows from it in the place of the default tokens."""
    color = _parse(accent)
    on_accent = WHITE if contrast(color, WHITE) >= ENOUGH else BLACK
    light = _towards(_mix(color, BLACK, 0.12), BLACK, [WHITE, _mix(color, WHITE, 0.88)])
    dark = _towards(color, WHITE, [DARK, _mix(color, DARK, 0.7)])
    strong = _towards(color, BLACK, [WHITE], 3.1)
    return (
        f"@layer tokens{{:root{{--accent:{accent};--on-accent:{_hex(on_accent)};"
        f"--accent-ink:light-dark({_hex(light)},{_hex(dark)});"
        f"--accent-line:light-dark({_hex(strong)},{_hex(_towards(color, WHITE, [DARK], 3.1))})}}}}"
    )


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _towards(color: Rgb, end: Rgb, grounds: list[Rgb], ratio: float = ENOUGH) -> Rgb:
    """`color`, moved to `end` until it can be read on all of `grounds`."""
    for step in range(21):
        mixed = _mix(color, end, step / 20)
        if all(contrast(mixed, ground) >= ratio for ground in grounds):
            return mixed
    return end


def _mix(color: Rgb, end: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, end, strict=True))
    return red, green, blue


def _luminance(color: Rgb) -> float:
    parts = [part / 255 for part in color]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parse(accent: str) -> Rgb:
    red, green, blue = bytes.fromhex(accent.removeprefix("#"))
    return red, green, blue


def _hex(color: Rgb) -> str:
    return f"#{bytes(color).hex()}"
