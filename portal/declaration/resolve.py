"""Makes the Declaration from the draft: fills in what the files leave out and merges what profiles change.

Called by load after the checks. Names that do not exist are dropped silently here: the checks have reported them, and
a declaration with errors is not used.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from portal.conditions import Condition
from portal.declaration.computed_fields import unseen_rollups
from portal.declaration.declaration import Declaration
from portal.declaration.declaration_draft import DeclarationDraft
from portal.declaration.inheritance import (
    ancestry,
    is_staff,
    joined_where,
    merge_layout,
    merged_accesses,
    second_factor,
)
from portal.declaration.layout_shapes import DetailLayout, FormLayout, ListLayout
from portal.declaration.layouts import LayoutViewer, finished_layouts, readable_fields, with_related
from portal.declaration.option_labels import labeled_modules
from portal.declaration.plurals import in_singular, label_in_singular
from portal.declaration.shapes import (
    DEFAULT_ICON,
    Access,
    Button,
    Home,
    Inbox,
    Lifecycle,
    Mail,
    Module,
    Profile,
    Scope,
    Transition,
    display_name,
    leaves,
)
from portal.fields.base_parts import FieldPlace
from portal.texts import Text, label_from_name

LAYOUTS: dict[str, type[Any]] = {"list": ListLayout, "detail": DetailLayout, "create": FormLayout, "edit": FormLayout}


MOST_WAYS = 2000


def resolve(draft: DeclarationDraft) -> Declaration:
    """The Declaration of a draft: resolved, bound and frozen."""
    draft.declared = draft.modules
    draft.modules = {name: _resolve_module(draft, module) for name, module in draft.modules.items()}
    draft.modules = {name: _with_layouts(draft, module) for name, module in draft.modules.items()}
    buttons = {
        name: button.model_copy(update={"label": display_name(button)}) for name, button in draft.buttons.items()
    }
    profiles = {name: _resolve_profile(draft, name, buttons) for name in draft.profiles}
    module = draft.modules.get(draft.inbox.creates) if draft.inbox else None
    inbox = _complete_inbox(draft.inbox, module) if draft.inbox and module else None
    declaration = Declaration.model_construct(
        folder=draft.folder, settings=draft.settings, people=draft.people, organizations=draft.organizations,
        modules=draft.modules, profiles=profiles, buttons=buttons, inbox=inbox, sign_up=draft.sign_up,
        webhooks=draft.webhooks,
        icons=frozenset(draft.icons | {DEFAULT_ICON}),
    )  # fmt: skip
    _search_listed_fields(draft.modules, profiles)
    for name, profile in profiles.items():
        profiles[name] = profile.model_copy(update={"labeled": labeled_modules(declaration, profile)})
    return declaration


def _search_listed_fields(modules: Mapping[str, Module], profiles: Mapping[str, Profile]) -> None:
    """Sets `search: true` for fields in lists whose type is searched there, unless the declaration says otherwise."""
    for module in modules.values():
        accesses = (profile.modules[module.name] for profile in profiles.values() if module.name in profile.modules)
        layouts = (module.list, *(access.list for access in accesses))
        listed = {name for layout in layouts for name in layout.columns or ()}
        for name in listed & set(module.fields):
            field = module.fields[name]
            if field.searched_in_lists and field.search is None:
                module.fields[name] = field.model_copy(update={"search": True})
        module.__dict__.pop("everything", None)  # cached before


# -- modules ------------------------------------------------------------------------------------------------------


def _resolve_module(draft: DeclarationDraft, module: Module) -> Module:
    """`module` with everything filled in except its layouts."""
    owner, organization = owner_and_organization(draft, module)
    filled: dict[str, Any] = {
        "label": display_name(module),
        "singular": module.singular or _guessed_singular(module, draft.settings.languages[0]),
        "title": module.title or _first_text(module),
        "owner": owner,
        "organization": organization,
        "see": module.see or default_scope(owner, organization),
        "lifecycle": _lifecycle(module),
        "mail": _mail(module),
        "records_from": bool(module.comments) if module.records_from is None else module.records_from,
    }
    return module.model_copy(update=filled)


def _guessed_singular(module: Module, language: str) -> Text:
    """What one record of a module is called if nothing says so; in English if that is the portal's first `language`,
    and presumably that of the names."""
    if language.partition("-")[0] != "en":
        return display_name(module)
    one = label_in_singular(module.label(language)) if module.label else None
    return Text(one) if one else label_from_name(in_singular(module.name))


def default_scope(owner: str | None, organization: str | None) -> Scope | None:
    """The scope of a module without `see`: own, else organization, else None: then the profiles must have it."""
    if owner:
        return "own"
    return "organization" if organization else None


def _first_text(module: Module) -> str:
    fields = module.fields.items()
    lines = (name for name, field in fields if field.verbatim and not field.long and not field.internal)
    return next(lines, "reference")


def owner_and_organization(draft: DeclarationDraft, module: Module) -> tuple[str | None, str | None]:
    """The paths to a record's owner and organization, written or not: without its own, the owner's company counts."""
    owner = module.owner or ("id" if module.name == draft.people else None)
    if module.organization or module.name == draft.organizations:
        return owner, module.organization or "id"
    people = draft.modules.get(draft.people or "")
    if not owner or owner == "id" or people is None or not people.organization:
        return owner, None
    return owner, f"{owner}.{people.organization}"


def _lifecycle(module: Module) -> Lifecycle | None:
    lifecycle = module.lifecycle
    if lifecycle is None:
        return None
    field = module.fields.get(lifecycle.field)
    start = lifecycle.start or next(iter(field.offered if field is not None else ()), None)
    transitions = {
        name: transition.model_copy(update={"name": name, "label": transition.label or label_from_name(name)})
        for name, transition in lifecycle.transitions.items()
    }
    stages = lifecycle.stages or _longest_way(tuple(field.offered if field is not None else ()), start, transitions)
    return lifecycle.model_copy(update={"start": start, "transitions": transitions, "stages": stages})


def _mail(module: Module) -> Mail:
    default = bool(module.comments) or module.lifecycle is not None
    events = {key: getattr(module.mail, key) for key in ("created", "commented", "moved")}
    return module.mail.model_copy(update={key: default if value is None else value for key, value in events.items()})


def _with_layouts(draft: DeclarationDraft, module: Module) -> Module:
    """A resolved module with layouts for a reader who sees everything: for commands and imports."""
    viewer = LayoutViewer(draft, staff=True, enabled=frozenset(draft.modules))
    layouts = finished_layouts(viewer, module, {name: getattr(module, name) for name in LAYOUTS}, preset=frozenset())
    layouts["detail"] = layouts["detail"].model_copy(update={"related": layouts["detail"].related or ()})
    return module.model_copy(update=layouts)


def _complete_inbox(inbox: Inbox, module: Module) -> Inbox:
    """`inbox` with defaults: the title of `module` for the subject, and its first long text for the text.

    In a module without a long text, the text becomes a comment.
    """
    title = module.title if module.title in module.fields else None
    return inbox.model_copy(update={"title": inbox.title or title, "text": inbox.text or mail_text_field(module)})


def mail_text_field(module: Module) -> str | None:
    """The field for a mail's text if `inbox:` names none: the first long one that customers may read."""
    fields = module.fields.items()
    return next((name for name, field in fields if field.verbatim and field.long and not field.internal), None)


def _longest_way(states: tuple[str, ...], start: str | None, transitions: Mapping[str, Transition]) -> tuple[str, ...]:
    """The longest path along transitions from `start` without visiting a state twice.

    Among paths of equal length, the one that goes back least in the order of the options. Lifecycles with very many
    paths get the longest of the first `MOST_WAYS`.
    """
    following: dict[str, list[str]] = {
        state: [
            target for target in states if any(_moves_between(move, state, target) for move in transitions.values())
        ]
        for state in states
    }
    best: tuple[int, int, tuple[str, ...]] = (0, 0, ())
    ways: list[tuple[str, ...]] = [(start,)] if start in following else []
    for _number in range(MOST_WAYS):
        if not ways:
            break
        way = ways.pop()
        back = sum(states.index(one) > states.index(other) for one, other in pairwise(way))
        if (len(way), -back) > best[:2]:
            best = (len(way), -back, way)
        ways += [(*way, state) for state in reversed(following[way[-1]]) if state not in way]
    return best[2]


def _moves_between(transition: Transition, state: str, target: str) -> bool:
    """Whether `transition` moves a record from `state` to `target`, another one, when stages are filled in."""
    return target == transition.to != state and leaves(transition, state)


# -- profiles -----------------------------------------------------------------------------------------------------


def _resolve_profile(draft: DeclarationDraft, name: str, buttons: dict[str, Button]) -> Profile:
    """The profile with every Access complete; generated buttons are added to `buttons`."""
    line = [draft.profiles[ancestor] for ancestor in ancestry(draft, name)]
    profile = line[-1]
    staff = is_staff(draft, name)
    entries = merged_accesses(draft, name)
    accesses, from_first_day = _accesses(draft, name, entries, staff)
    home = _home(line)
    if home.buttons is None:
        generated = dict(_generated_buttons(draft, name, accesses))
        buttons.update(generated)
        home = home.model_copy(update={"buttons": tuple(generated)})
    filled = {
        "label": profile.label or label_from_name(name),
        "staff": staff,
        "second_factor": second_factor(draft, line),
        "modules": accesses,
        "modules_from_first_day": from_first_day,
        "menu": _menu(line, accesses, buttons),
        "home": home,
    }
    return profile.model_copy(update=filled)


def _accesses(
    draft: DeclarationDraft, name: str, entries: Mapping[str, dict[str, Any]], staff: bool
) -> tuple[dict[str, Access], dict[str, Access]]:
    """The complete Access of a profile to each module; and those of accounts with a first visible day, if different."""
    viewer = LayoutViewer(draft, staff=staff, enabled=frozenset(entries))
    viewer, complete = _without_unseen(viewer, name, entries, _complete(viewer, name, entries), first_day=False)
    accesses = with_related(viewer, complete)
    recent_viewer, complete = _without_unseen(viewer, name, entries, complete, first_day=True)
    if recent_viewer is viewer:
        return accesses, {}
    recent = with_related(recent_viewer, complete)
    # Most are equal: keep them in memory once.
    return accesses, {name: accesses[name] if access == accesses[name] else access for name, access in recent.items()}


def _without_unseen(
    viewer: LayoutViewer,
    profile: str,
    entries: Mapping[str, dict[str, Any]],
    accesses: dict[str, Access],
    first_day: bool,
) -> tuple[LayoutViewer, dict[str, Access]]:
    """What a profile sees of the modules decides which roll-ups it gets, and these may be over others: leaves them out
    until no more have to be."""
    while hidden := unseen_rollups(viewer.draft.modules, accesses, first_day) - viewer.unseen:
        viewer = replace(viewer, unseen=viewer.unseen | hidden)
        changed = {name: entry for name, entry in entries.items() if _tells_any(viewer.draft.modules[name], hidden)}
        accesses = accesses | _complete(viewer, profile, changed)
    return viewer, accesses


def _tells_any(module: Module, rollups: Collection[FieldPlace]) -> bool:
    """Whether fields of a module are among the roll-ups that a profile does not get, or reveal their values."""
    return any(rollup.place in rollups for field in module.fields.values() for rollup in field.rollups)


def _complete(viewer: LayoutViewer, profile: str, entries: Mapping[str, dict[str, Any]]) -> dict[str, Access]:
    draft = viewer.draft
    return {
        name: _access(draft, viewer, draft.modules[name], entry, joined_where(draft, profile, name))
        for name, entry in entries.items()
    }


def _menu(line: list[Profile], accesses: Mapping[str, Access], buttons: Mapping[str, Button]) -> tuple[str, ...]:
    """The resolved menu: of the nearest profile that has one, else the modules, except those with `menu: false`."""
    menus = (profile.menu for profile in reversed(line))
    names = next((menu for menu in menus if menu is not None), tuple(accesses))
    return tuple(name for name in names if (accesses[name].menu if name in accesses else name in buttons))


def _access(
    draft: DeclarationDraft, viewer: LayoutViewer, module: Module, entry: dict[str, Any], where: Condition
) -> Access:
    own = {key: value for key, value in entry.items() if key not in LAYOUTS}
    access = Access.model_validate({**own, "module": module.name, "where": where})
    below = draft.module_entries[module.name]
    declared = {
        name: shape.model_validate(merge_layout(below.get(name), entry[name]))
        if entry.get(name)
        else getattr(draft.declared[module.name], name)
        for name, shape in LAYOUTS.items()
    }
    layouts = finished_layouts(viewer, module, declared, preset=frozenset(access.set))
    filled = {
        "see": access.see or module.see or "own",
        "label": access.label or module.label,
        "singular": access.singular or module.singular,
        "icon": access.icon or module.icon,
        **layouts,
    }
    access = access.model_copy(update=filled)
    return access.model_copy(update={"readable": readable_fields(module, access)})


def _home(line: list[Profile]) -> Home:
    """The resolved home page of a profile: buttons and panels of the nearest one that has them."""
    homes = [profile.home for profile in reversed(line)]
    buttons = next((home.buttons for home in homes if home.buttons is not None), None)
    panels = next((home.panels for home in homes if "panels" in home.model_fields_set), ())
    return Home(buttons=buttons, panels=panels)


def _generated_buttons(
    draft: DeclarationDraft, profile: str, accesses: Mapping[str, Access]
) -> Iterator[tuple[str, Button]]:
    """The generated buttons of a profile: one per enabled module, with its own label and icon."""
    for name, access in accesses.items():
        module = draft.modules[name]
        same = (access.label, access.icon) == (module.label, module.icon)
        button = f"module:{name}" if same else f"module:{name}:{profile}"
        yield button, Button(name=button, label=access.label, icon=access.icon or module.icon, opens=name)
