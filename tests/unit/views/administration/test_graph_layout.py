"""Boxes in columns: nothing overlaps, links run from left to right wherever they can, whatever the graph."""

import itertools
import random

import pytest

from portal.views.administration.graph_layout import WIDTH, Graph, GraphLink, draw


def graph(number, links, seed):
    chance = random.Random(seed)
    names = [f"m{index}" for index in range(number)]
    drawn = [(chance.choice(names), chance.choice(names)) for _ in range(links)]
    rows = {name: [target for source, target in drawn if source == name] for name in names}
    return Graph(
        {name: len(targets) for name, targets in rows.items()},
        [GraphLink(name, row, target) for name, targets in rows.items() for row, target in enumerate(targets)],
    )


@pytest.mark.parametrize(("number", "links", "seed"), [(0, 0, 0), (1, 1, 1), (2, 4, 2), (16, 24, 3), (60, 110, 4)])
def test_boxes_do_not_overlap_and_every_link_has_a_path(number, links, seed):
    drawn_graph = graph(number, links, seed)
    drawing = draw(drawn_graph)
    assert set(drawing.places) == set(drawn_graph.rows)
    assert set(drawing.paths) == {link for link in drawn_graph.links if link.source != link.target}
    for one, other in itertools.combinations(drawing.places.values(), 2):
        assert one.x != other.x or one.y + one.height < other.y or other.y + other.height < one.y
    assert all(0 <= place.x <= drawing.width - WIDTH for place in drawing.places.values())
    assert all(0 <= place.y <= drawing.height - place.height for place in drawing.places.values())
    assert draw(drawn_graph) == drawing


def test_links_run_from_left_to_right_but_for_one_of_a_cycle():
    chain = [GraphLink("lines", 0, "orders"), GraphLink("orders", 0, "people"), GraphLink("people", 0, "companies")]
    back = GraphLink("companies", 0, "people")
    drawing = draw(Graph({"people": 1, "companies": 1, "orders": 1, "lines": 1}, [*chain, back]))
    columns = [drawing.places[name].x for name in ("lines", "orders", "people", "companies")]
    assert columns == sorted(set(columns))
    assert drawing.paths[back].startswith(f"M{columns[3]:.0f} "), "it leaves on the left"
