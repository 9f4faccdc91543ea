"""`portal texts`: say which texts each language of a portal lacks, and where."""

from pathlib import Path

import click

from portal.commands.options import chosen_settings, common_options
from portal.declaration.source.suggestions import suggest
from portal.texts import abbreviated, plural, printable
from portal.workshop.missing_texts import LanguageReport, missing_texts

LONGEST = 100


@click.command("texts", short_help="Say which texts are missing in which language.")
@click.argument("path", metavar="[FOLDER]", required=False, type=click.Path(path_type=Path))
@click.option("--language", metavar="CODE", help="List each text that is missing in this language, with its place.")
@common_options
def command(path: Path | None, language: str | None) -> None:
    """Count the texts of the declarations of FOLDER that are missing in each language of the portal.

    A text without a language code is the same in all languages. Exits 1 if a text is missing, else 0.

    Example: portal texts --language pl
    """
    settings = chosen_settings(path)
    reports = missing_texts(settings.folder, settings.declared)
    if reports is None:
        raise click.ClickException("the declarations cannot be read: `portal check` says why")
    if language is not None:
        known = [report.language for report in reports]
        if language not in known:
            raise click.UsageError(f'the portal does not have the language "{language}"{suggest(language, known)}')
        reports = [report for report in reports if report.language == language]
        for text in reports[0].missing:
            click.echo(f"{text.place}: {text.subject}: {abbreviated(printable(text.shown_instead, LONGEST), LONGEST)}")
    for report in reports:
        click.echo(_in_words(report))
    raise SystemExit(1 if any(report.missing or report.missing_sentences for report in reports) else 0)


def _in_words(report: LanguageReport) -> str:
    lacking = [f"{len(report.missing):,} missing"] if report.missing else []
    if report.missing_sentences:
        lacking.append(f"{plural(report.missing_sentences, 'sentence')} of the interface in English")
    return f"{report.language}: {plural(report.translated, 'text')} written, {', '.join(lacking) or 'nothing missing'}"
