"""Signatures: who signed and when is recorded by the portal, and never changed."""

from tests.functional.cases_portal import errors, world
from tests.functional.world import NANCY

__all__ = ["world"]  # a fixture
DRAWING = "M10 20L30 40L31 200M600 0L600 0"


def test_a_signature_has_a_moment_and_an_account_and_is_never_changed(world):
    nancy = world[NANCY]
    case = world.add("cases", title="Signed")
    page = nancy.get(f"/cases/{case}/move/sign")
    assert page.html.find(attrs={"name": "consent.drawing", "type": "hidden"})
    for typed in ({"consent": ""}, {"consent": "", "consent.drawing": DRAWING}, {"consent": "x" * 121}):
        assert errors(nancy.send(f"/cases/{case}/move/sign", typed)) == {"consent"}
    for drawing in ('M1 1"/><script>', "M1 1L601 1", "M1 1", "M" + "1 1L" * 20_000 + "1 1"):
        assert errors(nancy.send(f"/cases/{case}/move/sign", {"consent": "N", "consent.drawing": drawing})) == {
            "consent"
        }
    forged = {"consent": "Nancy <i>Smith</i>", "consent.drawing": DRAWING, "consent.signed": "2000-01-01"}
    assert nancy.send(f"/cases/{case}/move/sign", forged).status_int == 303
    signature = world.record("cases", case).values["consent"]
    assert (signature.name, signature.drawing, signature.at) == ("Nancy <i>Smith</i>", DRAWING, world.clock.now)
    assert (bool(signature.account), signature.author) == (True, "Nancy Smith")
    shown = nancy.get(f"/cases/{case}/").html.select_one(".signature")
    assert (shown.path["d"], shown.strong.text) == (DRAWING, "Nancy <i>Smith</i>")
    assert "Nancy Smith" in shown.time.text
    past = [" ".join(event.text.split()) for event in nancy.get(f"/cases/{case}/").html.select("[class*=history] li")]
    assert ["Nancy <i>Smith</i>" in event for event in past] == [
        "Signed" in event and "Consent" in event for event in past
    ]
    assert sum("Nancy <i>Smith</i>" in event for event in past) == 1

    world.set("cases", case, state="open")
    assert nancy.get(f"/cases/{case}/move/sign").html.find(attrs={"name": "consent"}) is None
    assert nancy.send(f"/cases/{case}/move/sign", {"consent": "Someone"}).status_int == 303
    assert nancy.get(f"/cases/{case}/edit").html.find(attrs={"name": "consent"}) is None
    nancy.send(f"/cases/{case}/edit", {"title": "Signed", "consent": "Someone"})
    world.set("cases", case, consent=None)
    assert world.record("cases", case).values["consent"].at == signature.at


def test_nobody_signs_many_records_at_once(world):
    nancy = world[NANCY]
    case = world.add("cases", title="One of many")
    offered = {button["value"] for button in nancy.get("/cases/").html.select("button[name=do]")}
    assert (offered & {"close", "sign"}) == {"close"}
    for answers in ({}, {"consent": "Nancy"}):
        assert nancy.send("/cases/bulk", {"do": "sign", "ids": str(case), **answers}).status_int == 404
    assert world.record("cases", case).values["state"] == "open"


def test_a_form_is_signed_while_it_is_made_and_lists_show_the_name(world):
    nancy = world[NANCY]
    form = {"title": "At once", "consent": "Anna Żuk", "consent.drawing": DRAWING}
    assert nancy.send("/cases/create", form).status_int == 303
    (record,) = [record for record in world.all("cases") if record.title == "At once"]
    assert (record.values["consent"].drawing, record.values["consent"].at) == (DRAWING, world.clock.now)
    assert nancy.titles("/cases/?consent=zuk") == ["At once"]
    assert ",Anna Żuk" in nancy.get("/cases/export.csv?consent=zuk").text
    assert not nancy.get("/cases/?consent=zuk").html.select("td path")
