"""Text with `format=flowed` (RFC 3676): joins lines that were broken to be short.

Thunderbird and Apple Mail send it. A line that continues ends in a space; each ">" at its start is a level of quoting.
"""

SIGNATURE = "-- "


def unflowed(text: str, delete_spaces: bool) -> str:
    """A flowed text with one line per paragraph. `delete_spaces`: the space at a line's end is not part of it."""
    paragraphs: list[list[str]] = []
    goes_on, depth_before = False, 0
    for line in text.replace("\r\n", "\n").split("\n"):
        unquoted = line.lstrip(">")
        depth = len(line) - len(unquoted)
        content = unquoted.removeprefix(" ")  # stuffed before text that would be mistaken for something else
        if not goes_on or depth != depth_before or content == SIGNATURE:
            paragraphs.append([f"{'>' * depth} " if depth else ""])
        goes_on, depth_before = content.endswith(" ") and content != SIGNATURE, depth
        paragraphs[-1].append(content[:-1] if goes_on and delete_spaces else content)
    return "\n".join(map("".join, paragraphs))
