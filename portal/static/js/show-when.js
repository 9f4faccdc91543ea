// Shows, hides, requires and locks fields and options by their conditions while the form is filled in. The server decides
// again. What this script cannot decide stays as the server drew it, until computed.js brings its answer.
import { attach, fill } from "./attach.js";

attach("form[data-form]", (form) => {
  const decided = new WeakSet();
  const first = new WeakMap(); // the initial values of selects
  let answers = {}; // from the server, by field name: shown, required, locked, the options not offered
  const refresh = () => {
    const shown = form.querySelectorAll("[data-show-when]"); // lines may have been added
    const required = form.querySelectorAll("[data-required-when]");
    const locked = [...form.querySelectorAll("[data-read-only-when]")];
    const options = [...form.querySelectorAll("[data-option-when]")];
    if (!shown.length && !required.length && !locked.length && !options.length) return;
    for (const select of locked.flatMap((field) => [...field.querySelectorAll("select")])) {
      if (!first.has(select)) first.set(select, [select.value, select.value && select.selectedOptions[0].textContent]);
    }
    for (const field of [...shown, ...options]) {
      if (!decided.has(field)) field.hidden = field.hasAttribute("data-hidden");
      field.removeAttribute("data-hidden");
      decided.add(field);
    }
    const inputs = allInputs(form, locked.map(lockOf));
    const decide = (condition) => holds(JSON.parse(condition), inputs, form);
    const answer = (field) => answers[field.dataset.asks] ?? [];
    const answerFor = (option) => answer(option.closest("[data-asks]") ?? option)[3]?.includes(controlOf(option).value);
    const isOffered = (option) => decide(option.dataset.optionWhen) ?? !(answerFor(option) ?? option.hidden);
    const open = options.filter((option) => !option.closest("fieldset:disabled"));
    const [takenBack] = open.filter((option) => offer(option, isOffered(option)));
    if (takenBack) return void takenBack.dispatchEvent(new Event("change", { bubbles: true })); // others depend on it
    for (const field of shown) field.hidden = !(decide(field.dataset.showWhen) ?? answer(field)[0] ?? !field.hidden);
    for (const field of required) markRequired(field, decide(field.dataset.requiredWhen) ?? answer(field)[1]);
    for (const field of locked) lock(lockOf(field), decide(field.dataset.readOnlyWhen) ?? answer(field)[2], first);
  };
  form.addEventListener("decided", (event) => {
    answers = event.detail;
    refresh();
  });
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  form.addEventListener("followed", refresh);
  addEventListener("pageshow", refresh); // after Back, browsers fill in what was typed when scripts have already run
  refresh();
});

// An option of a select is its own control; a card or a box contains it.
function controlOf(option) {
  return option.querySelector("input") ?? option;
}

// Returns whether the option was chosen; it no longer is.
function offer(option, isOffered) {
  const control = controlOf(option);
  option.hidden = control.disabled = !isOffered; // not every browser hides options
  if (isOffered || !(control.selected || control.checked)) return false;
  if (control === option) option.closest("select").value = "";
  else control.checked = false;
  return true;
}

function markRequired(field, isRequired) {
  if (isRequired === undefined) return;
  for (const mark of field.querySelectorAll("[data-required]")) mark.hidden = !isRequired;
  const inputs = [...field.querySelectorAll("input, select, textarea")].filter((input) => input.type !== "hidden");
  if (inputs.length > 1 && inputs[0].type === "checkbox") return; // a group of checkboxes does not need each one ticked
  for (const input of inputs) input.required = isRequired;
}

function lockOf(field) {
  return field.querySelector("fieldset[data-lock]");
}

// Including those of locked fields, which are not sent.
function allInputs(form, locks) {
  const disabled = locks.filter((fieldset) => fieldset.disabled);
  for (const fieldset of disabled) fieldset.disabled = false;
  const inputs = new FormData(form);
  for (const fieldset of disabled) fieldset.disabled = true;
  return inputs;
}

// A field that becomes locked shows its initial value again, as it keeps that value.
function lock(fieldset, isLocked, first) {
  if (isLocked !== undefined && isLocked !== fieldset.disabled) {
    fieldset.disabled = isLocked;
    if (isLocked) for (const control of fieldset.querySelectorAll("input, select, textarea")) putBack(control, first);
  }
  for (const rich of fieldset.querySelectorAll("[contenteditable]")) rich.contentEditable = String(!fieldset.disabled);
}

function putBack(control, first) {
  const [value, title] = first.get(control) ?? [control.defaultValue];
  if (["checkbox", "radio"].includes(control.type)) control.checked = control.defaultChecked;
  else if (control.getAttribute("role") !== "combobox") fill(control, value ?? "", title);
}

// True, false, or undefined if only the server can tell.
function holds(condition, inputs, form) {
  const parts = (condition.all ?? condition.any)?.map((part) => holds(part, inputs, form));
  if (condition.all) return parts.includes(false) ? false : parts.includes(undefined) ? undefined : true;
  if (condition.any) return parts.includes(true) ? true : parts.includes(undefined) ? undefined : false;
  const [field, operator, named, negated] = condition;
  const others = named.filter((value) => value.field).map((value) => value.field);
  if (![field, ...others].every((name) => hasInput(form, name))) return undefined;
  const compared = named.filter((value) => !value.field || isComparable(field, value.field, inputs));
  const expected = compared.flatMap((value) => (value.field ? valuesOf(value.field, inputs) : value));
  const isNone = named.length > 0 && compared.length === 0;
  const result = isNone ? false : compare(operator, valuesOf(field, inputs), expected);
  return result === undefined ? undefined : result !== Boolean(negated);
}

function hasInput(form, field) {
  const name = CSS.escape(field);
  return form.querySelector(`[name="${name}"], [name^="${name}."], [id="field-${name}"]`) !== null;
}

// A file counts by its name; one that the form already has is a separate input, as is the time of a date.
function valuesOf(field, inputs) {
  const sent = [...inputs.getAll(field), ...inputs.getAll(`${field}.kept`)];
  const time = inputs.get(`${field}.time`);
  const values = sent.map((value) => (typeof value === "string" ? value : value.name)).filter((value) => value !== "");
  return time ? values.map((value) => `${value}T${time}`) : values;
}

// Whether both fields have a value, and amounts the same currency: others are neither equal, less nor more.
function isComparable(field, other, inputs) {
  const bothFilled = [field, other].every((name) => valuesOf(name, inputs).length > 0);
  return bothFilled && inputs.get(`${field}.currency`) === inputs.get(`${other}.currency`);
}

function compare(operator, values, expected) {
  const folded = values.map((value) => String(value).toLowerCase());
  const of = {
    equal: () => matches(values, expected),
    one_of: () => matches(values, expected),
    empty: () => (values.length === 0) === (expected[0] !== "false"),
    contains: () => folded.some((value) => value.includes(expected[0].toLowerCase())),
    min: () => inOrder(values, expected, (value, bound) => value >= bound),
    max: () => inOrder(values, expected, (value, bound) => value <= bound),
    before: () => inOrder(values, expected, (value, bound) => value < bound),
    after: () => inOrder(values, expected, (value, bound) => value > bound),
  }[operator];
  return of?.();
}

// Numbers, and dates in the format of their inputs; other notations are left to the server.
function inOrder(values, expected, isSo) {
  const texts = [...values, expected[0]];
  const numbers = texts.map(numberOf);
  if (!numbers.some(Number.isNaN)) return numbers.slice(0, -1).some((value) => isSo(value, numbers.at(-1)));
  const days = texts.every((text) => /^\d{4}-\d\d-\d\d(T\d\d:\d\d)?$/.test(text) && text.length === texts[0].length);
  return days ? values.some((value) => isSo(value, expected[0])) : undefined;
}

// 1.500 is one and a half only in English; 1.234,5 is a number elsewhere.
function numberOf(text) {
  if (document.documentElement.lang.startsWith("en")) return Number(/^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text) ? text.replaceAll(",", "") : text);
  if (/^-?\d{1,3}(\.\d{3})+$/.test(text)) return NaN;
  return Number(/^-?[\d.]+,\d+$/.test(text) ? text.replaceAll(".", "").replace(",", ".") : text);
}

// An unticked checkbox posts nothing: that is “false”.
function matches(values, expected) {
  if (expected.some((word) => /^(today|now)( *[+-].*)?$/.test(word))) return undefined;
  return values.length
    ? values.some((value) => expected.includes(value) || expected.some((word) => equalNumbers(value, word)))
    : expected.includes("false") || expected.includes("");
}

function equalNumbers(value, word) {
  return word !== "" && numberOf(value) === Number(word);
}
