// Fields under a condition appear and disappear while the form is filled in. The server decides again.
import { attach } from "./attach.js";

attach("form[data-form]", (form) => {
  const fields = [...form.querySelectorAll("[data-show-when]")];
  if (!fields.length) return;
  const refresh = () => {
    const inputs = new FormData(form);
    for (const field of fields) {
      field.hidden = !holds(JSON.parse(field.dataset.showWhen), inputs);
      field.removeAttribute("data-hidden");
    }
  };
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  refresh();
});

function holds(condition, inputs) {
  if (condition.all) return condition.all.every((part) => holds(part, inputs));
  if (condition.any) return condition.any.some((part) => holds(part, inputs));
  const [field, operator, expected, negated] = condition;
  // A file counts by its name; one that the form has already is an input of its own.
  const sent = [...inputs.getAll(field), ...inputs.getAll(`${field}.kept`)];
  const values = sent.map((value) => (typeof value === "string" ? value : value.name)).filter((value) => value !== "");
  const result = compare(operator, values, expected);
  // What this script cannot decide is shown; the server decides again.
  return result === undefined || result !== Boolean(negated);
}

function compare(operator, values, expected) {
  const numbers = values.map(Number);
  const folded = values.map((value) => String(value).toLowerCase());
  const of = {
    equal: () => matches(values, expected),
    one_of: () => matches(values, expected),
    empty: () => (values.length === 0) === (expected[0] !== "false"),
    contains: () => folded.some((value) => value.includes(expected[0].toLowerCase())),
    min: () => comparable(numbers, expected) && numbers.some((value) => value >= Number(expected[0])),
    max: () => comparable(numbers, expected) && numbers.some((value) => value <= Number(expected[0])),
  }[operator];
  return of?.();
}

// Dates, and numbers as they are written in other countries, are left to the server.
function comparable(numbers, expected) {
  return [...numbers, Number(expected[0])].some(Number.isNaN) ? undefined : true;
}

// An unticked checkbox posts nothing: that is “false”.
function matches(values, expected) {
  if (expected.some((word) => word === "today" || word === "now")) return undefined;
  return values.length
    ? values.some((value) => expected.includes(value) || expected.some((word) => equalNumbers(value, word)))
    : expected.includes("false") || expected.includes("");
}

function equalNumbers(value, word) {
  return word !== "" && Number(value) === Number(word);
}
