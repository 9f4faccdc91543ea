"""Text of the kind `format=flowed` (RFC 3676): lines that were broken to be short become one again.

Thunderbird and Apple Mail send it. A line that goes on ends in a space; each ">" at its beginning is a level of quote.
"""

SIGNATURE = "-- "


def unflowed(text: str, delete_spaces: bool) -> str:
    """`text` with a line for each paragraph. `delete_spaces`: the space at the end of a line is no part of the text."""
    paragraphs: list[list[str]] = []
    goes_on, depth_before = False, 0
    for line in text.replace("\r\n", "\n").split("\n"):
        unquoted = line.lstrip(">")
        depth = len(line) - len(unquoted)
        content = unquoted.removeprefix(" ")  # put before what would be taken for something else
        if not goes_on or depth != depth_before or content == SIGNATURE:
            paragraphs.append([f"{'>' * depth} " if depth else ""])
        goes_on, depth_before = content.endswith(" ") and content != SIGNATURE, depth
        paragraphs[-1].append(content[:-1] if goes_on and delete_spaces else content)
    return "\n".join(map("".join, paragraphs))
