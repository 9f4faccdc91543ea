"""The places of bars in charts."""

import pytest

from portal.declaration.home_shapes import Panel
from portal.views.chart_drawing import Amount, draw


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ((50, 100), [(0, 50), (0, 100)]),
        ((-50, 150), [(0, 25), (25, 75)]),  # zero is within
        ((-50, -100), [(50, 50), (0, 100)]),  # and here on the right
        ((0, 0), [(0, 0), (0, 0)]),
    ],
)
def test_bars_begin_where_zero_is(values, bars):
    amounts = [Amount(str(value), [], 1, value) for value in values]
    drawing = draw(Panel(chart="jobs", by="state"), amounts, "")
    assert [(part.start, part.length) for part in drawing.parts] == bars
