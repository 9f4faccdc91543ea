// Shared by all scripts: attaches behavior to elements by their data- attributes, now and when a part is redrawn.
const attachments = [];

document.documentElement.classList.add("with-script");

/** Runs `behave(element)` once for every matching element, including those added later. */
export function attach(selector, behave) {
  const done = new WeakSet();
  const run = (root) => {
    for (const element of root.querySelectorAll(selector)) {
      if (done.has(element)) continue;
      done.add(element);
      try {
        behave(element);
      } catch (error) {
        reportError(error); // the rest of the page works on
      }
    }
  };
  attachments.push(run);
  run(document);
}

/** Attaches all known behavior to the new elements in `root`. */
export function drawn(root) {
  for (const run of attachments) run(root);
}

/** Creates an element: make("li", { className: "x" }, "text", child). */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The controls of a form: its own properties, such as `form.elements`, may be hidden by fields of these names. */
export function controls(form) {
  return Object.getOwnPropertyDescriptor(HTMLFormElement.prototype, "elements").get.call(form);
}

/** The data- attributes of a form, which has the same difficulty. */
export function data(form) {
  return Object.getOwnPropertyDescriptor(HTMLElement.prototype, "dataset").get.call(form);
}

/** Debounces: a function that calls `run` with its last arguments once it has not been called for `milliseconds`. */
export function debounce(milliseconds, run) {
  let timer;
  const later = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), milliseconds);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/** The document of an HTML text; its scripts do not run. */
export function parsePage(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

/** Adds the values of these inputs of a form to an address. The server knows those that the form lacks or has locked. */
export function addValues(url, form, names) {
  const values = new FormData(form);
  for (const name of names) {
    if (form.querySelector(`[name="${CSS.escape(name)}"]:enabled`)) url.searchParams.set(name, values.get(name) ?? "");
  }
}

/** Sets the value of an input, or of a group of radio buttons or checkboxes. A combobox notices, and shows the title of
 * the record. */
export function fill(input, value, title) {
  if (!input) return;
  if (input instanceof RadioNodeList) {
    for (const one of input) one.checked = [value].flat().includes(one.value);
    return void input[0].dispatchEvent(new CustomEvent("followed", { bubbles: true }));
  }
  if (input.type === "checkbox") input.checked = value === "true";
  else if (input instanceof HTMLSelectElement && ![...input.options].some((option) => option.value === value)) {
    input.append(new Option(title, value));
    input.value = value;
  } else input.value = value;
  input.dispatchEvent(new CustomEvent("followed", { bubbles: true, detail: { value, title } }));
}
