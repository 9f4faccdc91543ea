"""`portal texts`: which texts a language lacks, and where they are written."""

from click.testing import CliRunner

from portal.commands import main as portal
from tests.portal_files import write_portal

TICKETS = """\
portal: {languages: [en, it, pt]}
modules:
  tickets:
    see: all
    label: {en: Tickets, it: Richieste}
    singular: Ticket
    fields:
      title: {type: text, label: {en: Title, it: Titolo, pt: Título}, help: {en: In a few words}}
"""


def texts(folder, *arguments):
    return CliRunner().invoke(portal, ["texts", str(folder), *arguments])


def test_each_language_has_its_figures(tmp_path):
    result = texts(write_portal(tmp_path, TICKETS, staff="modules: {tickets: {}}"))
    english, italian, portuguese = result.output.splitlines()
    assert english == "en: 4 texts written, nothing missing"
    assert italian == "it: 3 texts written, 1 missing"
    assert portuguese.startswith("pt: 2 texts written, 2 missing, 1,")
    assert portuguese.endswith(" sentences of the interface in English")
    assert result.exit_code == 1


def test_the_texts_that_a_language_lacks_have_their_place_and_what_is_shown_instead(tmp_path):
    result = texts(write_portal(tmp_path, TICKETS, staff="modules: {tickets: {}}"), "--language", "it")
    assert result.output.splitlines()[0] == "modules.yaml:8:77: tickets.fields.title.help: In a few words"
    assert len(result.output.splitlines()) == 2


def test_a_portal_that_lacks_nothing_and_a_language_that_it_does_not_have(tmp_path):
    folder = write_portal(tmp_path, TICKETS.replace("[en, it, pt]", "[en]"), staff="modules: {tickets: {}}")
    assert texts(folder).exit_code == 0
    refused = texts(folder, "--language", "de")
    assert refused.exit_code == 2
    assert 'does not have the language "de"' in refused.output


def test_files_that_cannot_be_read_are_a_matter_of_the_check(tmp_path):
    result = texts(write_portal(tmp_path, "modules: ["))
    assert result.exit_code == 1
    assert "`portal check` says why" in result.output
