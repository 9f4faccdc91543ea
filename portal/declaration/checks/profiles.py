"""Checks profiles: that what they name exists, and what they allow is possible."""

from collections.abc import Iterator, Mapping

from portal.conditions import Condition, compared_fields
from portal.declaration.checks.conditions import check_condition
from portal.declaration.checks.layouts import check_layouts
from portal.declaration.checks.menus import check_home, check_menu
from portal.declaration.checks.panels import check_panels, check_resolved_panels
from portal.declaration.checks.scopes import check_scope, needs_scope, scope_through_problems
from portal.declaration.checks.values import check_unique_values, check_values
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import ALL_MODULES, DeclarationDraft
from portal.declaration.declared_files import profile_file
from portal.declaration.inheritance import ancestry, is_access_broken, is_staff, merged_accesses
from portal.declaration.layout_shapes import FormLayout
from portal.declaration.layouts import form_layout_fields
from portal.declaration.shapes import ACTIONS, Access, Module, Profile
from portal.declaration.source.cursor import Cursor
from portal.declaration.source.problems import KeyPath, ProblemText
from portal.declaration.source.suggestions import closest, did_you_mean, list_in_text, suggest
from portal.declaration.synonyms import intended_action
from portal.declaration.unknown_names import no_access, no_option, no_part
from portal.fields.base import Field
from portal.fields.link import link_targets

READING = ("read", "view", "see", "list", "show")
NEEDED_KEYS = {"comment": "comments", "attach": "attachments", "watch": "watchers"}  # of a module, by action
PlacedSentence = tuple[KeyPath, str]


def check_profile(draft: DeclarationDraft, profile: Profile, at: Cursor) -> None:
    """Checks what the profile's own file says."""
    _check_extends(draft, profile, at["extends"])
    inherited = merged_accesses(draft, profile.extends) if profile.extends in draft.profiles else {}
    for module, entry in draft.profile_entries[profile.name]["modules"].items():
        place = at["modules"][module]
        if module not in draft.modules:
            draft.require_module(module, place.key)
            draft.broken_accesses.add((profile.name, closest(module, draft.modules) or ALL_MODULES))
        elif entry is False:
            if module not in inherited:
                place.key.warn("there is nothing to remove: no extended profile has this module")
        elif module in profile.modules:
            before = len(draft.errors)
            _check_access(draft, profile, draft.modules[module], profile.modules[module], place)
            if len(draft.errors) > before:
                draft.broken_accesses.add((profile.name, module))
    check_panels(draft, profile, at["home"]["panels"])
    _check_expectations(draft, profile, at["expect"])


def _check_extends(draft: DeclarationDraft, profile: Profile, at: Cursor) -> None:
    parent = profile.extends
    if parent is None:
        return
    if parent not in draft.profiles:
        draft.broken_accesses.add((profile.name, ALL_MODULES))
        if parent not in draft.broken_profiles:
            at.wrong(f'no profile "{parent}"{suggest(parent, draft.profiles)}')
        return
    line = [profile.name]
    while (parent := draft.profiles[line[-1]].extends) in draft.profiles and parent is not None:
        if parent in line:
            if parent == profile.name == min(line):  # reported once, at the first of the circle's profiles
                at.wrong(f"profiles extend each other in a circle: {' → '.join([*line, parent])}")
            return
        line.append(parent)


def _check_access(draft: DeclarationDraft, profile: Profile, module: Module, access: Access, at: Cursor) -> None:
    if access.see is not None:
        check_scope(draft, module, access.see, at["see"])
    known = [*ACTIONS, *module.transitions, *_broken_transitions(draft, module)]
    for index, word in enumerate(access.can):
        if problem := _action_problem(draft, module, word, known):
            at["can"][index].wrong(problem)
    check_condition(draft, module.name, at["where"])
    check_values(draft, module.name, access.set, at["set"])
    check_unique_values(draft, module, access.set, "others are created without it", at["set"])
    if module.state_field in access.set:
        at["set"][module.state_field].key.wrong("only transitions change this field")
    _check_option_labels(draft, module, access, at["options"])
    _check_grants(draft, profile, module, access, at["grants"])
    check_layouts(draft, module, access, at)


def _check_option_labels(draft: DeclarationDraft, module: Module, access: Access, at: Cursor) -> None:
    """Checks `options: {FIELD: {OPTION: label}}`: the labels that a profile gives to options, and false for those that
    it does not offer."""
    for name, labels in access.options.items():
        field = draft.require_field(module.name, name, at[name].key)
        if field is None:
            continue
        options = field.declared_options
        if not options:
            at[name].key.wrong(f'"{name}" has no options: only a choice has them')
            continue
        for option in labels:
            if option not in options:
                at[name][option].key.wrong(no_option(draft.holder_of(field), option, options))
            elif labels[option] is False and name == module.state_field:
                at[name][option].wrong("false has no meaning here: only transitions change this field")
            elif labels[option] is False and (field.computed or name in module.builtin):
                at[name][option].wrong("false has no meaning here: the portal computes this field")


def _check_grants(draft: DeclarationDraft, profile: Profile, module: Module, access: Access, at: Cursor) -> None:
    """Checks `grants: [PROFILE]`: the profiles that people with this profile may grant."""
    if access.grants is None:
        return
    if module.name != draft.people:
        if not draft.broken_roles:
            at.key.wrong("grants says who may be given access to the portal: it belongs to the module of people")
        return
    if not access.grants:
        at.wrong("names no profile: leave grants out, or name the profiles that may be given")
    staff = is_staff(draft, profile.name)
    for index, name in enumerate(access.grants):
        if name in draft.broken_profiles:
            continue
        if name not in draft.profiles:
            at[index].wrong(f'no profile "{name}"{suggest(name, draft.profiles)}')
        elif not staff and is_staff(draft, name):
            at[index].wrong(f"{name} is a profile of staff: only staff may give it")
        elif name in draft.settings.administrators and profile.name not in draft.settings.administrators:
            at[index].wrong(f"{name} is a profile of administrators: only they may give it")


def _broken_transitions(draft: DeclarationDraft, module: Module) -> Iterator[str]:
    """The names of transitions that a profile may grant but that were left out because of another problem."""
    transitions = draft.at_module(module.name)["lifecycle"]["transitions"].value
    yield from transitions if isinstance(transitions, Mapping) else ()


def _action_problem(draft: DeclarationDraft, module: Module, word: str, known: list[str]) -> str | None:
    if word not in known and (sentence := list_in_text(word, known)):
        return sentence
    if word in READING:
        return f'leave "{word}" out: whoever has a module can read it, and see: says which records'
    if word not in known:
        possible = [
            action for action in known if action.isidentifier() and not _action_problem(draft, module, action, known)
        ]
        guess = did_you_mean(intended_action(word, possible))
        sentence = f'"{word}" is neither an action nor a transition of {module.name}{guess}'
        return ProblemText(sentence, "action", word, module.name)
    if word == "grant" and not draft.broken_roles and module.name != draft.people:
        return "grant gives access to the portal: it belongs to the module of people"
    if word == "import" and module.table is not None:
        return f"nothing is imported into {module.name}: they are rows of the existing table {module.table}"
    key = NEEDED_KEYS.get(word)
    if key is not None and not getattr(module, key):
        return no_part(module.name, key, f": add {key}: true to the module")
    return None


def _check_expectations(draft: DeclarationDraft, profile: Profile, at: Cursor) -> None:
    for index, expectation in enumerate(profile.expect):
        place = at[index]
        draft.require_module(expectation.module, place["module"])
        if "@" not in expectation.as_:
            place["as"].wrong("must be the email address of an account")
        if not expectation.sees and not expectation.hides:
            place.wrong("sees: or hides: is missing")


# -- what only the resolved profile shows -------------------------------------------------------------------------


def check_resolved_profiles(draft: DeclarationDraft, declaration: Declaration) -> None:
    """Checks every resolved profile; what was reported for an extended profile is not reported again."""
    reported: dict[str, set[PlacedSentence]] = {}
    for profile in sorted(declaration.profiles.values(), key=lambda profile: len(ancestry(draft, profile.name))):
        at = draft.at(profile_file(profile.name))
        line = ancestry(draft, profile.name)[:-1]
        first = draft.profiles[(*line, profile.name)[0]]
        if first.extends is not None and first.extends not in line:
            continue  # the extended profile is missing or unreadable, which is already reported
        above: set[PlacedSentence] = set().union(*(reported.get(parent, set()) for parent in line))
        problems = list(_problems(draft, profile))
        reported[profile.name] = above | set(problems)
        for path, message in problems:
            if (path, message) not in above:
                at.down(path).wrong(message)
        check_home(draft, profile, declaration)
        check_resolved_panels(draft, profile, declaration)
        check_menu(draft, profile, declaration)
        in_doubt = draft.broken_modules or draft.broken_fields or draft.broken_accesses
        _check_expected_modules(draft, profile, at["expect"])
        above_too = any(not declaration.profiles[name].modules for name in line)
        if not profile.modules and not in_doubt and not above_too and profile.name not in draft.broken_profiles:
            at["modules"].key.warn("this profile has no module, so its people see nothing")


def _problems(draft: DeclarationDraft, profile: Profile) -> Iterator[PlacedSentence]:
    for name, access in profile.modules.items():
        path, module = ("modules", name), draft.modules[name]
        needs_see = needs_scope(draft, draft.declared[name]) and not draft.is_broken(name) and not draft.broken_roles
        if needs_see and not _declares_scope(draft, profile.name, name):
            yield path, ProblemText("see is missing: own, organization, all or {through: FIELD}", "see", name)
        yield from scope_through_problems(draft, profile, path, access)
        if is_access_broken(draft, profile.name, name):
            continue
        yield from _unreachable_links(draft, profile, path, module, access)
        if "create" in access.can:
            yield from _never_filled(draft, profile, path, module, access)
        if access.grants is not None and "grant" not in access.can:
            yield (*path, "grants"), "has no effect without grant: add it to can, or leave grants out"


def _check_expected_modules(draft: DeclarationDraft, profile: Profile, at: Cursor) -> None:
    """Checks that `expect:` only names modules that the profile has."""
    for index, expectation in enumerate(profile.expect):
        module = expectation.module
        if expectation.sees and module not in profile.modules and not draft.is_broken(module):
            at[index]["module"].wrong(no_access(module, ", so nobody sees that"))
        for name in set(expectation.sees) & set(expectation.hides):
            at[index]["hides"].wrong(f'"{name}" cannot be seen and hidden at once')


def _declares_scope(draft: DeclarationDraft, profile: str, module: str) -> bool:
    """Whether the profile, or one that it extends, has `see` for the module."""
    accesses = (draft.profiles[name].modules.get(module) for name in ancestry(draft, profile))
    return any(access is not None and access.see is not None for access in accesses)


def _unreachable_links(
    draft: DeclarationDraft, profile: Profile, path: KeyPath, module: Module, access: Access
) -> Iterator[PlacedSentence]:
    """Reports links in the forms of this profile to modules that it lacks."""
    for form, layout in (("create", access.create), ("edit", access.edit)):
        if form not in access.can:
            continue
        for name in form_layout_fields(layout):
            for field_name, link in _links_in_form(module, name):
                targets = link_targets(link)
                existing = [target for target in targets if target in draft.modules and not draft.is_broken(target)]
                if existing and not any(target in profile.modules for target in targets):
                    asks = f"the {form} form asks for {field_name}, but {{}}"
                    yield (*path, form), no_access(existing[0]).within(asks)
    for name in access.can:
        for field_name, need in module.transitions[name].ask.items() if name in module.transitions else ():
            missing = [target for target in link_targets(module.fields.get(field_name)) if target in draft.modules]
            if need == "required" and missing and not any(target in profile.modules for target in missing):
                yield (*path, "can"), no_access(missing[0]).within(f"{name} asks for {field_name}, but {{}}")


def _links_in_form(module: Module, name: str) -> Iterator[tuple[str, Field | None]]:
    """A field of a profile's form and the required columns of its rows, which may be links."""
    field = module.fields.get(name)
    yield name, field
    for column in field.row_fields.values() if field else ():
        if column.required:
            yield f"{name}.{column.name}", column


def _never_filled(
    draft: DeclarationDraft, profile: Profile, path: KeyPath, module: Module, access: Access
) -> Iterator[PlacedSentence]:
    """Reports required fields that nobody with this profile could fill in when a record is created."""
    forms = [draft.declared[module.name].create, *_written_forms(draft, profile, module.name)]
    if any(draft.field(module.name, name) is None for form in forms for name in form_layout_fields(form)):
        return  # the unknown name may mean any field
    shown = set(form_layout_fields(access.create))
    moved = module.lifecycle.field if module.lifecycle else None
    for name, field in module.fields.items():
        value = access.set.get(name, field.default)
        withheld = any(label is False and option == value for option, label in access.options.get(name, {}).items())
        if not field.required or name in shown or name == moved or (value is not None and not withheld):
            continue
        if field.computed or field.deadline_rule or draft.is_broken(module.name, name):
            continue
        if field.show_when is not None and not _may_hold(module, access, shown, field.show_when):
            continue
        lacks = "this profile does not offer its default" if withheld else "it has no default"
        sentence = f"{name} is required, but the create form does not show it and {lacks}"
        targets = [target for target in link_targets(field) if target in draft.modules and not draft.is_broken(target)]
        if targets and not any(target in profile.modules for target in targets):
            unseen = no_access(targets[0], ", so that no form asks for it")
            sentence = unseen.within(f"{name} is required, but {{}}")
        yield (*path, "create"), sentence


def _written_forms(draft: DeclarationDraft, profile: Profile, module: str) -> Iterator[FormLayout]:
    """The create forms of a module that a profile, and those that it extends, declare."""
    for name in ancestry(draft, profile.name):
        if access := draft.profiles[name].modules.get(module):
            yield access.create


def _may_hold(module: Module, access: Access, shown: set[str], condition: Condition) -> bool:
    """Whether a `show_when` in a profile's form could hold because one of its fields can get a value."""
    names = {path[0] for path in compared_fields(condition)}
    return any(
        name in shown or name in access.set or module.everything[name].default is not None
        for name in names
        if name in module.everything
    )
