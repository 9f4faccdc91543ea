// Fields that are asked only under a condition appear and vanish as the form is filled in. The server decides again.
import { attach } from "./attach.js";

attach("form[data-form]", (form) => {
  const fields = [...form.querySelectorAll("[data-show-when]")];
  if (!fields.length) return;
  const refresh = () => {
    const typed = new FormData(form);
    for (const field of fields) {
      field.hidden = !holds(JSON.parse(field.dataset.showWhen), typed);
      field.removeAttribute("data-hidden");
    }
  };
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  refresh();
});

function holds(condition, typed) {
  if (condition.all) return condition.all.every((part) => holds(part, typed));
  if (condition.any) return condition.any.some((part) => holds(part, typed));
  const [field, operator, wanted, negated] = condition;
  const values = typed.getAll(field).filter((value) => value !== "");
  const found = compare(operator, values, wanted);
  // What this script cannot judge is shown; the server knows.
  return found === undefined || found !== Boolean(negated);
}

function compare(operator, values, wanted) {
  const numbers = values.map(Number);
  const folded = values.map((value) => String(value).toLowerCase());
  const of = {
    equal: () => same(values, wanted),
    one_of: () => same(values, wanted),
    empty: () => (values.length === 0) === (wanted[0] !== "false"),
    contains: () => folded.some((value) => value.includes(wanted[0].toLowerCase())),
    min: () => judged(numbers, wanted) && numbers.some((value) => value >= Number(wanted[0])),
    max: () => judged(numbers, wanted) && numbers.some((value) => value <= Number(wanted[0])),
  }[operator];
  return of?.();
}

// Dates, and numbers as they are written in other countries, are left to the server.
function judged(numbers, wanted) {
  return [...numbers, Number(wanted[0])].some(Number.isNaN) ? undefined : true;
}

// An unticked checkbox posts nothing: that is “false”.
function same(values, wanted) {
  if (wanted.some((word) => word === "today" || word === "now")) return undefined;
  return values.length
    ? values.some((value) => wanted.includes(value) || wanted.some((word) => equalNumbers(value, word)))
    : wanted.includes("false") || wanted.includes("");
}

function equalNumbers(value, word) {
  return word !== "" && Number(value) === Number(word);
}
