"""Other systems' names for our field types and keys, so that a problem can suggest ours.

Used for unknown names that are not simply misspelled.
"""

import re
from collections.abc import Collection

from portal.declaration.source.suggestions import closest
from portal.fields.base import Field

_TYPES = {
    "text": "string str varchar char charfield character varying line input textfield shorttext small_text singleline "
    "title name slug uuid freeform freeformsingle autocompletesingle ipaddress personname data",
    "longtext": "textarea memo note notes paragraph multiline plaintext longstring comment description textlong "
    "smalltext",
    "markdown": "md mdtext wikitext wiki",
    "html": "richtext rich_text text_editor wysiwyg editor",
    "email": "mail e-mail email_address",
    "phone": "tel telephone mobile cell fax",
    "url": "link_url uri website web hyperlink href",
    "integer": "int number bigint smallint serial count whole long",
    "decimal": "float double numeric real",
    "money": "currency amount price monetary cost",
    "percent": "percentage ratio",
    "boolean": "bool checkbox check yesno yes_no flag switch toggle bit",
    "date": "day dateonly dateselector",
    "datetime": "timestamp timestamptz date_time moment dateandtime datetimeselector datetimeoptional",
    "time": "clock timeofday hour",
    "duration": "interval timespan timedelta period",
    "elapsed": "age timer stopwatch",
    "timeliness": "sla sla_status agreement_status breached kept escalation",
    "choice": "select tree_select enum dropdown option options radio picklist list single_select status state "
    "selection selector selectsingle buttonselector radioselector",
    "choices": "multiselect multi_select multienum checkboxes multichoice multipleselect set multi multipleselector "
    "checkboxselector selectmultiple checklist",
    "tags": "labels keywords tag array freeformmultiple",
    "link": "relation reference ref object_reference foreignkey foreign_key fk many2one belongs_to manytoone user "
    "person related record externalkey linkparent linkone onetoone masterdetail master_detail related_to owner "
    "dynamiclink",
    "links": "many2many manytomany linkmultiple has_many relations references many_to_many multirelation users "
    "people linkedsetindirect linkedset tablemultiselect",
    "lines": "table rows subtable one2many grid items onetomany collection",
    "rollup": "roll_up summary aggregate aggregation rollupsummary",
    "formula": "computed calculated calculation expression compute function",
    "lookup": "mirror related_field externalfield foreign fetch",
    "address": "place postal_address",
    "location": "geolocation geo geopoint geo_point coordinates latlng lat_long position map gps point",
    "rating": "stars star score",
    "color": "colour",
    "ip": "ipaddress ip_address inet cidr network subnet",
    "file": "attachment upload document blob binary attach",
    "files": "attachments uploads documents attachmentmultiple multiple_files",
    "image": "picture photo img avatar",
    "signature": "sign signed signature_pad autograph",
    "json": "object dict map jsonb structure",
}
_KEYS = {
    "modules": "objects entities tables classes doctypes resources collections models schema types",
    "label": "name title caption text display_name verbose_name heading plural label_plural verbose_name_plural "
    "labelplural",
    "list": "list_view listview views grid table list_display list_filter listviews sort_field sort_order ordering "
    "sort_desc facets",
    "detail": "detail_view show_view record_view",
    "help": "description hint tooltip help_text info comment note",
    "type": "kind datatype data_type field_type fieldtype widget",
    "required": "mandatory obligatory must not_null nullable notnull reqd blank null is_null_allowed",
    "required_when": "required_if mandatory_depends_on mandatory_when",
    "read_only": "readonly locked computed disabled set_only_once editable",
    "read_only_when": "read_only_depends_on readonly_when readonly_if read_only_if locked_when",
    "internal": "private hidden secret staff_only staffonly",
    "default": "initial value preset default_value defaultvalue",
    "options": "choices values enum items select",
    "to": "target model module relation references ref entity table into goal reference target_class entitylist",
    "max_length": "length maxlength size max_size limit",
    "digits": "precision total_digits max_digits",
    "places": "scale decimals decimal_places fraction",
    "suggestions": "datalist autocomplete combobox",
    "pattern": "validation_pattern regex regexp format mask",
    "on_delete": "on_target_delete ondelete",
    "search": "searchable in_global_search",
    "index": "search_index db_index",
    "max_size": "size limit maxsize max",
    "min": "minimum from least",
    "max": "maximum until most",
    "at_least": "not_before greater_than min_field",
    "after": "later_than strictly_after not_until",
    "show_when": "visible_if depends_on condition visible when show_if if",
    "where": "filter domain query criteria",
    "can": "permissions actions rights allow may allowed",
    "see": "scope access visible visibility read",
    "extends": "inherit inherits parent base based_on",
    "url": "href address",
    "creates": "module create target makes",
    "text": "body message content",
    "opens": "open target goto module page",
    "title": "subject title_field titlefield label_column display_field",
    "sort": "order order_by orderby sort_by sorting",
    "columns": "fields",
    "sections": "fields groups blocks",
    "fields": "columns attributes properties",
    "tone": "color colour style variant class",
    "accent": "color colour theme primary brand",
    "time_zone": "timezone tz zone",
    "hours": "working_hours business_hours opening_hours office_hours service_hours workinghours businesshours",
    "holidays": "public_holidays bank_holidays closed days_off",
    "within": "deadline sla due_in due_within target resolve_within response_time",
    "pause": "pauses pause_on paused on_hold hold pending",
    "stop": "stops stop_on done finished ends",
    "languages": "language locales locale langs",
    "administrators": "admins admin administrator",
    "organizations": "companies organisations organization organisation company customers",
    "people": "contacts persons users person",
    "owner": "author creator caller requester belongs_to",
    "organization": "company organisation customer account",
    "from": "source sources when",
    "ask": "asks form require",
    "set": "sets assign values update defaults",
    "start": "initial begin default first",
    "of": "formula expression path field fetch_from",
    "transitions": "actions moves workflow",
    "lifecycle": "workflow states process statemachine",
    "singular": "label_singular one",
    "reference": "number numbering sequence id_format naming_series autoname autonumber",
    "unique": "distinct",
    "formerly": "renamed_from old_name previously was",
    "count": "counter badge",
    "page_size": "per_page pagesize limit rows",
    "menu": "navigation nav sidebar",
    "staff": "is_staff internal agent",
}
_ACTIONS = {
    "create": "add new insert post open",
    "edit": "update write modify change",
    "delete": "remove destroy",
    "comment": "reply answer write message respond",
    "attach": "upload attachments files",
    "export": "download csv",
    "import": "bulk_create load csv_import",
    "grant": "invite access grants",
}
_SCOPES = {
    "own": "mine my me self owner personal",
    "organization": "company organisation companies account team",
    "all": "everyone everything any everybody public",
}


_SPECIALS = {
    "me": "me user current_user currentuser self myself @me",
    "my organization": "my_organization my_organisation my_company current_organization current_company",
}


# Prefixes and suffixes of type names in other systems.
_PREFIX, _SUFFIX = re.compile("^Attribute"), re.compile("(Field|Input|Selector)$")


def _invert(table: dict[str, str]) -> dict[str, list[str]]:
    inverted: dict[str, list[str]] = {}
    for ours, theirs in table.items():
        for name in theirs.split():
            inverted.setdefault(name, []).append(ours)
    return inverted


OUR_TYPES, OUR_KEYS = _invert(_TYPES), _invert(_KEYS)
_OUR_ACTIONS, _OUR_SCOPES, _OUR_SPECIALS = _invert(_ACTIONS), _invert(_SCOPES), _invert(_SPECIALS)


def intended_type(name: str) -> str | None:
    """The type meant by a misspelled type, or by another system's type: `AttributeEnum`, `TextInput`."""
    name = name.partition("(")[0]
    without_prefix = _PREFIX.sub("", name)
    spellings = filter(None, (name, without_prefix, _SUFFIX.sub("", name), _SUFFIX.sub("", without_prefix)))
    return next((guess for spelling in spellings if (guess := _intended(spelling, Field.types, OUR_TYPES))), None)


def intended_key(name: str, known: Collection[str]) -> str | None:
    """The key in `known` meant by a misspelled key, or by another system's key."""
    return _intended(name, known, OUR_KEYS)


def intended_action(name: str, known: Collection[str]) -> str | None:
    """The action in `known` meant by a word under `can`."""
    return _intended(name, known, _OUR_ACTIONS)


def intended_scope(name: str) -> str | None:
    """The scope meant by a word after `see`."""
    return _intended(name, list(_SCOPES), _OUR_SCOPES)


def intended_special(value: str) -> str | None:
    """The special word meant by a value of a link; None for a title."""
    return next(iter(_OUR_SPECIALS.get(value.strip(" {}%").casefold().replace(" ", "_"), ())), None)


def _intended(name: str, known: Collection[str], others: dict[str, list[str]]) -> str | None:
    folded = name.strip().casefold().replace("-", "_")
    if (ours := next((ours for ours in others.get(folded, ()) if ours in known), None)) is not None:
        return ours
    return closest(name, known)
