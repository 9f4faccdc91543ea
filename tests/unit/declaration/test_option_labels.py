"""The labels that a profile gives to options, and the lookups that lead to them."""

from portal.declaration.load import load
from portal.fields.reader import Reader
from tests.portal_files import write_portal

MODULES = """
modules:
  orders:
    see: all
    fields:
      name: text
      state: {type: choice, options: {open: Open, done: {en: Done, it: Fatto}}}
      size: {type: choice, options: [s, m, l]}
      parent: {type: link, to: orders}
      state_of_parent: {type: lookup, of: parent.state}
      parents: {type: lookup, of: parent.state_of_parent}
  parcels:
    see: all
    fields:
      name: text
      order: {type: link, to: orders}
      state: {type: lookup, of: order.state}
      own: {type: lookup, of: order.state}
"""
PROFILES = {
    "plain": "modules: {orders: {}, parcels: {}}",
    "desk": "modules: {orders: {options: {state: {open: To do}}}, parcels: {options: {own: {open: Not sent}}}}",
    "night": "{extends: desk, modules: {orders: {options: {state: {done: {en: Over, it: Finito}}}}}}",
    "few": "modules: {orders: {can: [edit], options: {size: {s: 0, m: false, l: false}}}, parcels: {}}",
    "more": "{extends: few, modules: {orders: {options: {size: {l: true}}}}}",
}


def shown(tmp_path, profile, module, field, value, language="en"):
    declaration = load(write_portal(tmp_path, MODULES, **PROFILES)).declaration
    labeled = declaration.profiles[profile].labeled.get(module) or declaration.modules[module]
    return labeled.field(field).show(value, Reader(language=language))


def test_a_profile_without_labels_has_no_modules_of_its_own(tmp_path):
    assert shown(tmp_path, "plain", "orders", "state", "open") == "Open"
    assert load(tmp_path).declaration.profiles["plain"].labeled == {}


def test_labels_are_the_profile_s_own_and_inherited(tmp_path):
    assert shown(tmp_path, "desk", "orders", "state", "open") == "To do"
    assert shown(tmp_path, "desk", "orders", "state", "done", "it") == "Fatto"
    assert shown(tmp_path, "night", "orders", "state", "open") == "To do"
    assert shown(tmp_path, "night", "orders", "state", "done", "it") == "Finito"


def test_lookups_show_the_label_of_what_they_lead_to_unless_they_have_their_own(tmp_path):
    assert shown(tmp_path, "desk", "orders", "state_of_parent", "open") == "To do"
    assert shown(tmp_path, "desk", "orders", "parents", "open") == "To do"
    assert shown(tmp_path, "desk", "parcels", "state", "open") == "To do"
    assert shown(tmp_path, "desk", "parcels", "own", "open") == "Not sent"
    assert shown(tmp_path, "plain", "parcels", "own", "open") == "Open"


def test_a_profile_offers_again_what_the_one_that_it_extends_does_not(tmp_path):
    declaration = load(write_portal(tmp_path, MODULES, **PROFILES)).declaration
    sizes = {name: declaration.profiles[name].labeled["orders"].field("size") for name in ("few", "more")}
    assert {name: size.withheld for name, size in sizes.items()} == {"few": {"m", "l"}, "more": {"m"}}
    assert [sizes["more"].show(size, Reader()) for size in ("s", "m", "l")] == ["0", "M", "L"]
