"""Sentences for what a declaration names but does not have, each with its cause; used by several checks."""

from collections.abc import Iterable

from portal.declaration.source.problems import CauseKind, ProblemText
from portal.declaration.source.suggestions import closest, suggest


def no_module(name: str, known: Iterable[str]) -> ProblemText:
    """The sentence for a module that is not declared."""
    return ProblemText(f'no module "{name}"{suggest(name, known)}', "module", name)


def no_button(name: str, buttons: Iterable[str], modules: Iterable[str] = ()) -> ProblemText:
    """The sentence for a button that is not declared, where `modules` may be named too."""
    known, names = [*modules, *buttons], [*modules]
    what = "module or button" if names else "button"
    kind: CauseKind = "module" if closest(name, known) in names else "button"
    return ProblemText(f'no {what} "{name}"{suggest(name, known)}', kind, name)


def no_access(module: str, consequence: str = "") -> ProblemText:
    """The sentence for a module that is declared but that the profile lacks."""
    return ProblemText(f'this profile has no module "{module}"{consequence}', "access", module)


def no_field(module: str, name: str, known: Iterable[str], where: str = "") -> ProblemText:
    """The sentence for a field that `module` does not have; `where` says where, if that is not obvious."""
    return ProblemText(f'no field "{name}"{where}{suggest(name, known)}', "field", name, module)


def no_state(module: str, name: str, known: Iterable[str], cure: str = "") -> ProblemText:
    """The sentence for a state that is not an option of the lifecycle's field."""
    return ProblemText(f'no state "{name}"{cure or suggest(name, known)}', "state", name, module)


def no_option(holder: str, name: str, known: Iterable[str]) -> ProblemText:
    """The sentence for an option that a choice does not have; `holder`: see DeclarationDraft.holder_of."""
    return ProblemText(f'no option "{name}"{suggest(name, known)}', "state", name, holder)


def no_part(module: str, part: str, consequence: str = "") -> ProblemText:
    """Comments, attachments, a lifecycle, an owner or an organization that a module does not have."""
    return ProblemText(f"{module} has no {part}{consequence}", "part", part, module)


def no_effect_without(module: str, part: str) -> ProblemText:
    """The sentence for a setting that has no effect without a part that a module does not have."""
    return no_part(module, part).within("has no effect: {}")


def no_tab(module: str, tab: str, ending: str) -> ProblemText:
    """The sentence for a tab that a module's list does not have."""
    return ProblemText(f'{module} has no tab "{tab}"{ending}', "tab", tab, module)


def no_role(role: str, ending: str = "") -> ProblemText:
    """The sentence for a missing module of people or of organizations."""
    return ProblemText(f"modules.yaml does not say which module holds the {role}{ending}", "role", role)
