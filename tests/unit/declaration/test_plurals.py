"""The name of a record if only the name of its module is known."""

import pytest

from portal.declaration.plurals import in_plural, in_singular, label_in_singular


@pytest.mark.parametrize(
    ("one", "many"),
    [("category", "categories"), ("address", "addresses"), ("order_line", "order_lines"), ("person", "people"),
     ("box", "boxes"), ("day", "days"), ("case", "cases"), ("movie", "movies"), ("status", "statuses"),
     ("cookie", "cookies"), ("cache", "caches"), ("site_virus", "site_viruses"), ("bus", "buses"), ("crisis", "crises"),
     ("criterion", "criteria"), ("shelf", "shelves"), ("pet", "pets"), ("house", "houses"), ("size", "sizes")],
)  # fmt: skip
def test_a_name_has_a_plural_and_a_singular(one, many):
    assert (in_plural(one), in_singular(many)) == (many, one)


@pytest.mark.parametrize(
    "name", ["news", "time_series", "status", "progress", "knowledge", "kunden", "s", "es", "os", "gps", "goods"]
)
def test_what_is_no_plural_stays(name):
    assert in_singular(name) == name


@pytest.mark.parametrize("name", ["people", "children", "office_equipment", "staff", "orders", "news"])
def test_a_plural_has_no_other_one(name):
    assert in_plural(name) == name


@pytest.mark.parametrize(
    ("label", "one"),
    [("Customers", "Customer"), ("Service requests", "Service request"), ("People", "Person"), ("FAQs", "FAQ"),
     ("Requests from customers", "Request from customers"), ("My documents", "Document"),
     ("Support", None), ("Knowledge base", None), ("News", None), ("Status", None), ("", None)],
)  # fmt: skip
def test_a_label_in_the_plural_has_a_singular(label, one):
    assert label_in_singular(label) == one
