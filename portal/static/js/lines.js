// Adds, moves and removes lines of a form in the page. Without this script, the same buttons send the form.
import { attach, drawn, fill } from "./attach.js";

attach("[data-lines]", (box) => {
  const body = box.querySelector("tbody");
  const template = box.querySelector("template");
  const add = box.querySelector("[data-add]");
  const form = box.closest("form");
  const actions = {
    add: () => focusIn(append()),
    up: (row, control) => {
      row.previousElementSibling?.before(row);
      focusOn(control, row);
    },
    down: (row, control) => {
      row.nextElementSibling?.after(row);
      focusOn(control, row);
    },
    remove: (row) => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      if (next) focusIn(next);
      else add.focus();
    },
  };

  function append(values = {}) {
    const row = template.content.firstElementChild.cloneNode(true);
    body.append(row);
    renumber();
    for (const control of inputs(row)) if (control.name in values) put(control, ...values[control.name]);
    drawn(row);
    return row;
  }

  function renumber() {
    const rows = [...body.rows];
    // First to names that no row has: two groups of radio buttons with one name would clear each other.
    for (const prefix of [`${box.dataset.lines}.moved`, `${box.dataset.lines}.`]) {
      rows.forEach((row, index) => rename(row, `${prefix}${index}`));
    }
    rows.forEach((row, index) => {
      for (const number of row.querySelectorAll("[data-number]")) number.textContent = index + 1;
    });
    add.hidden = rows.length >= (Number(box.dataset.most) || Infinity);
  }

  function act(name, row, control) {
    actions[name](row, control);
    renumber();
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  box.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=_lines]");
    if (!button) return;
    event.preventDefault();
    act(button.value.split(".").pop(), button.closest("tr"), button);
  });
  box.addEventListener("keydown", (event) => {
    const row = event.target.closest("tbody tr");
    const name = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!row || !name || !event.altKey) return;
    event.preventDefault();
    act(name, row, event.target);
  });

  // After Back, browsers fill in only the lines that the page has from the start; the server's draft has all of them.
  form.addEventListener("submit", () => {
    const values = new FormData(form);
    const kept = (input) => [input.name, [values.getAll(input.name), input.selectedOptions?.[0]?.textContent]];
    const rows = [...body.rows].map((row) => Object.fromEntries(inputs(row).map(kept)));
    history.replaceState({ ...history.state, [box.dataset.lines]: rows }, "");
  });
  const isBack = performance.getEntriesByType("navigation")[0].type === "back_forward";
  if (isBack && !form.querySelector("[data-discard-draft]")) history.state?.[box.dataset.lines]?.slice(body.rows.length).forEach(append);
});

function inputs(row) {
  return [...row.querySelectorAll("[name]:not(button)")];
}

function put(control, values, title) {
  if (["checkbox", "radio"].includes(control.type)) control.checked = values.includes(control.value);
  else if (values.length) fill(control, values[0], title);
}

/** Renames a row and everything named after it: “lines.2” becomes “lines.1”. */
function rename(row, name) {
  const before = row.dataset.line;
  const id = (text) => `field-${text.replaceAll(".", "-")}-`;
  row.dataset.line = name;
  for (const element of row.querySelectorAll("*")) {
    for (const attribute of element.attributes) {
      if (attribute.name === "value" && element.localName !== "button") continue;
      const text = attribute.value.replaceAll(`${before}.`, `${name}.`).replaceAll(id(before), id(name));
      if (text !== attribute.value) attribute.value = text;
    }
  }
}

/** Keeps the focus on what moved its row. The button of a first or last row is hidden, which takes no focus: then it goes
 * to the one that moves the row back. */
function focusOn(control, row) {
  for (const one of [control, ...row.querySelectorAll("button[name=_lines]")]) {
    one.focus();
    if (document.activeElement === one) return;
  }
}

function focusIn(row) {
  row.querySelector("input:not([type=hidden]), select:not([hidden]), textarea")?.focus();
}
