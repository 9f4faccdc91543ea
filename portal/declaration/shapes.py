"""The shapes of the YAML and of the resolved declaration: frozen, and unknown keys are errors.

The same shapes are used as written (None if a key is missing) and resolved (`resolve.py` generates what is missing,
merges what profiles change, and leaves no None if there is a default). Code outside this folder only sees the resolved
ones, in a `Declaration`.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import Field as Key
from pydantic import StrictBool

from portal.conditions import ALWAYS
from portal.declaration import value_types
from portal.declaration.home_shapes import Home
from portal.declaration.layout_shapes import DetailLayout, FormLayout, ListLayout
from portal.declaration.references import BARE_NUMBER
from portal.fields.base import Field
from portal.fields.base_shape import FileTypes, Icon, Names, Shape, Size, Tone, Where
from portal.fields.periods import LongPeriod, Period, PeriodOrMoment
from portal.fields.working_hours import DayHours, DaysOff, Weekday
from portal.texts import Text, label_from_name

DEFAULT_ICON = "square"
ACTIONS = ("create", "edit", "delete", "comment", "attach", "watch", "export", "import", "grant")
# The events of records that webhooks send; a subset of the kinds in records/writing/history.py.
EVENTS = ("created", "edited", "moved", "deleted", "commented", "attached")


MOST_REMEMBERED_DAYS = 30  # after these, every session ends, however much it is used


class Letters(Shape):
    """What every letter about a record also contains."""

    footer: Text | None = None  # below everything
    reply_above: Text | None = None  # the line above which an answer is written, if `inbox` accepts answers


class Settings(Shape):
    """`portal:` of modules.yaml. Values from outside the files override every key."""

    name: Text = Text("Portal")
    logo: str | None = None
    accent: str = Key("#2457d6", pattern="^#[0-9a-fA-F]{6}$")
    languages: tuple[str, ...] = Key(("en",), min_length=1)
    currency: Annotated[str, Names("currency")] = Key("EUR", pattern="^[A-Z]{3}$")
    time_zone: Annotated[str, Names("time zone")] = "UTC"
    remember_days: int = Key(MOST_REMEMBERED_DAYS, ge=1, le=3650)
    base_url: str | None = None
    support_address: str | None = None
    administrators: tuple[value_types.ProfileName, ...] = ()
    # link: by email; oidc: with the identity provider, which is always offered if there is one.
    sign_in: tuple[Literal["password", "link", "oidc", "passkey"], ...] = Key(("password",), min_length=1)
    second_factor: tuple[value_types.ProfileName, ...] = ()
    letters: Letters = Letters()
    hours: dict[Weekday, DayHours] | None = Key(None, min_length=1)  # for deadlines; by default around the clock
    holidays: DaysOff = ()


class Transition(Shape):
    name: str = ""  # its key in the mapping
    from_: value_types.StateNames | None = Key(None, alias="from")
    to: value_types.State
    label: Text | None = None
    icon: Icon | None = None
    tone: Tone | None = None
    ask: dict[value_types.AskedField, Literal["required", "optional"]] = {}
    set: value_types.Values = {}
    confirm: Text | None = None
    only: value_types.Link | None = None  # the link to the only people who may do it
    bulk: StrictBool = True  # whether it is offered for many records at once
    after: PeriodOrMoment | None = None  # the period after which, or moment at which, the portal does it on its own


class OnComment(Shape):
    from_: value_types.StateNames | None = Key(None, alias="from")
    to: value_types.State | None = None
    set: value_types.Values = {}
    fill: value_types.Values = {}  # set only if empty


def leaves(move: Transition | OnComment, state: str | None) -> bool:
    """Whether a transition, `move`, starts in `state`; without `from`, it starts in every state except its target."""
    return move.to is not None and (state != move.to if move.from_ is None else state in move.from_)


class Lifecycle(Shape):
    field: value_types.OwnField
    start: value_types.State | None = None
    transitions: dict[str, Transition] = {}
    on_comment: dict[Literal["customer", "staff"], OnComment] = {}
    stages: tuple[value_types.State, ...] | None = Key(None, min_length=1)  # the states along a record's path
    follow_up: value_types.Link | None = None  # the module's link to itself: the record that is followed up


class Comments(Shape):
    order: Literal["newest", "oldest"] = "newest"  # which comment comes first
    answers: value_types.ModuleName | None = None  # the module whose records staff may put into a comment
    correct: Period | None = None  # how long authors may change and withdraw their comments and files


class Attachments(Shape):
    max_size: Size = 25_000_000
    max_count: int = Key(20, ge=1)
    types: FileTypes = ()


class Wording(Shape):
    """A letter in the administrator's own words; {reference}, {title}, {link} and {FIELD} stand for values."""

    subject: Text | None = None
    text: Text | None = None


# The kinds of letters about a record. A letter with several kinds of news has the first of them.
LetterKind = Literal["created", "reminded", "assigned", "commented", "moved"]
LETTER_KINDS: tuple[LetterKind, ...] = get_args(LetterKind)


class Mail(Shape):
    """Which letters are written about a record; resolved, the first three are not None."""

    created: StrictBool | Wording | None = None
    commented: StrictBool | Wording | None = None
    moved: StrictBool | Wording | None = None
    assigned: value_types.Link | None = None  # the link field that names the person to notify
    desk: str | None = None  # an address, or the profile whose people are notified of unassigned records
    remind: dict[value_types.State, Period] = {}  # state → the time in it after which the customer is reminded

    @property
    def kinds(self) -> frozenset[LetterKind]:
        """The kinds of letters that are written, from which people choose."""
        declared: dict[LetterKind, object] = {"created": self.created, "commented": self.commented, "moved": self.moved}
        declared |= {"assigned": self.assigned, "reminded": self.remind}
        return frozenset(kind for kind, value in declared.items() if value)


class Through(Shape):
    through: value_types.Link


Scope = Literal["own", "organization", "all"] | Through


def scope_link(see: Scope | None) -> str | None:
    """The link of a scope `{through: LINK}`; None for other scopes."""
    return see.through if isinstance(see, Through) else None


class Module(Shape):
    """One module. `fields` are the declared fields in order, `builtin` those that every record has."""

    name: str
    fields: dict[str, Field]
    builtin: dict[str, Field] = {}
    label: Text | None = None
    singular: Text | None = None
    icon: Icon = DEFAULT_ICON
    reference: Annotated[str, Names("reference")] = BARE_NUMBER
    title: value_types.FieldName | None = None
    owner: value_types.FieldPath | None = None  # a dotted path to a person; "id" in the module of people itself
    organization: value_types.FieldPath | None = None
    see: Scope | None = None
    comments: StrictBool | Comments = False
    attachments: StrictBool | Attachments = False
    watchers: StrictBool = False  # people may be added to a record, who then see it
    lifecycle: Lifecycle | None = None
    list: ListLayout = ListLayout()
    detail: DetailLayout = DetailLayout()
    create: FormLayout = FormLayout()
    edit: FormLayout = FormLayout()
    mail: Mail = Mail()
    records_from: StrictBool | None = None  # whether an account's first visible day hides older records
    keep: LongPeriod | None = None  # the time without a change after which a final record is deleted
    formerly: str | None = None
    table: str | None = None  # an existing table that is used instead of one of the portal's own
    key: value_types.SeveralTexts | None = None  # its columns that identify a row

    @property
    def conversation(self) -> Comments:
        """The declared settings of comments; the defaults if the module has comments without settings, or none."""
        return Comments() if isinstance(self.comments, bool) else self.comments

    def field(self, name: str) -> Field:
        """A declared or built-in field; raises KeyError."""
        return self.fields.get(name) or self.builtin[name]

    @cached_property
    def everything(self) -> dict[str, Field]:
        """Declared and built-in fields together."""
        return {**self.fields, **self.builtin}

    @cached_property
    def formulas(self) -> dict[str, Field]:
        """The fields that are computed and stored, each after those that it reads."""
        waiting = {name: field for name, field in self.fields.items() if field.computed and not field.virtual}
        ordered: dict[str, Field] = {}
        while waiting:
            ready = {name: field for name, field in waiting.items() if waiting.keys().isdisjoint(field.sources)}
            ordered |= ready
            waiting = {name: field for name, field in waiting.items() if name not in ready}
        return ordered

    @cached_property
    def deadlines(self) -> tuple[Field, ...]:
        """The fields that the portal computes in working time."""
        return tuple(field for field in self.fields.values() if field.deadline_rule)

    @property
    def lines(self) -> tuple[Field, ...]:
        """The `lines` fields, whose values are rows."""
        return tuple(field for field in self.fields.values() if field.row_fields)

    @property
    def has_news(self) -> bool:
        """Whether changes by others are new to an account until it looks at them: if two sides work on the records."""
        return bool(self.comments) or self.lifecycle is not None

    @property
    def transitions(self) -> Mapping[str, Transition]:
        """The transitions of the lifecycle, by name; none without one."""
        return self.lifecycle.transitions if self.lifecycle else {}

    @property
    def state_field(self) -> str | None:
        """The name of the field that holds the state of a record; None without a lifecycle."""
        return self.lifecycle.field if self.lifecycle else None

    @property
    def states(self) -> tuple[str, ...]:
        """The names of the states of a record; none without a lifecycle."""
        field = self.fields.get(self.state_field or "")
        return tuple(filter(None, field.declared_options)) if field is not None else ()

    def is_final(self, state: str | None) -> bool:
        """Whether no transition leaves a state."""
        return bool(self.transitions) and not any(leaves(transition, state) for transition in self.transitions.values())

    @property
    def final_states(self) -> tuple[str, ...]:
        """The states that no transition leaves."""
        return tuple(filter(self.is_final, self.states))

    @cached_property
    def parent_links(self) -> tuple[Field, ...]:
        """The links of its records to others of the same module alone, by which these stand below each other."""
        return tuple(
            field
            for field in self.fields.values()
            if field.targets == (self.name,) and not (field.computed or field.multiple)
        )

    @property
    def title_field(self) -> Field:
        """The field that names a record in headings and links: the title, else the reference."""
        return self.field(self.title or "reference")

    def unique_within(self, field: Field) -> tuple[str, ...]:
        """The link within whose record the values of `field` are unique; `organization` means that of the module."""
        link = self.organization if field.unique == "organization" else field.unique
        return (link,) if isinstance(link, str) else ()

    @cached_property
    def email_field(self) -> Field | None:
        """The first email field: for a person, the address by which they are found and receive letters."""
        return next((field for field in self.fields.values() if field.holds_email), None)

    @property
    def first_long_text(self) -> Field | None:
        """The text that a canned answer puts into a comment."""
        return next((field for field in self.fields.values() if field.long and field.textual), None)

    @cached_property
    def unique_text(self) -> Field | None:
        """The first unique text field: imports find a record by it, exports name records by it."""
        unique = (field for field in self.fields.values() if field.unique is True and field.filter == "text")
        return next((field for field in unique if field.columns()), None)


class Access(Shape):
    """What one profile sees of one module, and how. Resolved, its layouts hold only what the profile can read."""

    module: str = ""
    see: Scope | None = None
    can: tuple[value_types.Action, ...] = ()
    menu: StrictBool = True
    label: Text | None = None
    singular: Text | None = None
    icon: Icon | None = None
    where: Where = ALWAYS
    set: value_types.Values = {}
    # field → option → its label for this profile, or whether its people may choose it
    options: Annotated[dict[str, dict[str, Text | StrictBool]], Names("labels")] = {}
    grants: tuple[value_types.ProfileName, ...] | None = None  # for people who may `grant`; None: Policy.grants
    list: ListLayout = ListLayout()
    detail: DetailLayout = DetailLayout()
    create: FormLayout = FormLayout()
    edit: FormLayout = FormLayout()
    readable: frozenset[str] = frozenset()  # set by resolve; refused in YAML

    @property
    def through(self) -> str | None:
        """The link to records of another module that are seen, if these make the records of this one seen."""
        return scope_link(self.see)


class Expectation(Shape):
    as_: str = Key(alias="as")
    module: value_types.ModuleName
    sees: value_types.SeveralTexts = ()
    hides: value_types.SeveralTexts = ()


class Profile(Shape):
    """One profile. A name in `menu` means a module if the profile has one of that name, otherwise a button."""

    name: str = ""
    label: Text | None = None
    extends: value_types.ProfileName | None = None
    staff: StrictBool = False
    second_factor: Literal["optional", "required"] = "optional"
    modules: dict[str, Access] = {}
    menu: tuple[value_types.MenuEntry, ...] | None = None  # names of modules and buttons; resolved: always a tuple
    home: Home = Home()
    expect: tuple[Expectation, ...] = ()
    # Set by resolve: modules with the profile's own labels of options; and the modules for accounts whose first visible
    # day hides records that a roll-up is over.
    labeled: dict[str, Module] = {}
    modules_from_first_day: dict[str, Access] = {}

    @cached_property
    def buttons(self) -> tuple[str, ...]:
        """The names of the buttons on the home page and in the menu, each once."""
        in_menu = (name for name in self.menu or () if name not in self.modules)
        return tuple(dict.fromkeys((*(self.home.buttons or ()), *in_menu)))

    @cached_property
    def from_first_day(self) -> "Profile":
        """The profile for accounts with a first visible day: without roll-ups over older records."""
        modules = self.modules_from_first_day
        return self.model_copy(update={"modules": modules}) if modules else self


class Button(Shape):
    name: str = ""
    label: Text | None = None
    text: Text | None = None
    icon: Icon = DEFAULT_ICON
    tone: Tone | None = None
    opens: value_types.Target | None = None
    url: str | None = None
    tab: value_types.TabName | None = None
    where: Where | None = None
    set: value_types.Values = {}
    count: StrictBool = False


class Inbox(Shape):
    address: str = Key(pattern=r"^[^\s@<>,;:\"+]{1,27}@[A-Za-z0-9.-]+$")  # for mail/reply_address.py
    creates: value_types.ModuleName
    title: value_types.OwnField | None = None  # the field for the subject; resolved: the module's title
    text: value_types.OwnField | None = None  # the field for the text; resolved: the first long one, if any
    unknown: Literal["keep", "create"] = "keep"


class SignUp(Shape):
    """Who may sign up. `domains`: the only mail domains allowed, each with the title of its company."""

    profile: value_types.ProfileName
    domains: dict[str, str] | None = None
    approve: StrictBool = True


class Webhook(Shape):
    """One of `webhooks:`: an address that is notified of events of records, as far as a profile may read them."""

    url: str
    on: value_types.Events = Key(min_length=1)
    as_: value_types.ProfileName = Key(alias="as")


def display_name(named: Module | Transition | Access | Profile | Button) -> Text:
    """The label of a module, transition, profile or button, made from its name if none is declared."""
    return named.label or label_from_name(named.module if isinstance(named, Access) else named.name)
