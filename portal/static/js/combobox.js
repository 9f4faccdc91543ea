// Turns a link's select into an input that finds records while the reader types, and offers completions in the search of
// a list, following the WAI-ARIA pattern for comboboxes. Without this script, the select, the list of checkboxes and the
// search work as they are.
import { addValues, attach, debounce, make } from "./attach.js";

let count = 0;

/** A single choice, kept in the select, which contains only the chosen option. */
class OneChoice {
  constructor(select) {
    this.select = select;
    this.id = select.id;
    this.label = null;
    this.read();
  }

  read() {
    const chosen = this.select.selectedOptions[0];
    this.text = chosen?.value ? chosen.textContent : "";
  }

  shown() {
    return this.text;
  }

  take(value, title) {
    this.text = title;
    this.select.replaceChildren(new Option("", ""), new Option(title, value, true, true));
    this.select.value = value;
    this.select.dispatchEvent(new Event("change", { bubbles: true }));
  }

  prepare(input) {
    const select = this.select;
    select.removeAttribute("id");
    select.hidden = true;
    select.tabIndex = -1;
    input.id = this.id;
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    }
    if (select.required) input.setAttribute("aria-required", "true");
    select.required = false;
  }
}

/** Several choices, kept as the ticked checkboxes of a list. */
class SeveralChoices {
  constructor(box) {
    this.box = box;
    this.list = box.querySelector(".checks");
    this.name = box.dataset.several;
    this.label = box.dataset.label;
    for (const check of [...this.list.children]) {
      if (!check.querySelector("input").checked) check.remove();
    }
  }

  shown() {
    return "";
  }

  take(value, title) {
    if (!value) return;
    let input = [...this.list.querySelectorAll("input")].find((other) => other.value === value);
    if (!input) {
      input = make("input", { type: "checkbox", name: this.name, value });
      this.list.append(make("label", { className: "check" }, input, make("span", {}, title)));
    }
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  prepare(input) {
    input.setAttribute("aria-label", this.label);
  }
}

/** The search of a list: a chosen completion continues the text before the caret. */
class SearchText {
  constructor(input) {
    this.input = input;
    this.label = input.getAttribute("aria-label");
  }

  shown() {
    return this.input.value;
  }

  typed() {
    return this.input.value.slice(0, this.input.selectionStart);
  }

  take(value) {
    if (value) this.input.setRangeText(value, 0, this.input.selectionStart, "end");
  }

  prepare(input) {
    input.autocomplete = "off";
  }
}

class Combobox {
  constructor(box, choice) {
    this.box = box;
    this.choice = choice;
    this.options = [];
    this.active = -1;
    const id = `combobox-${(count += 1)}`;
    this.list = make("div", { id, hidden: true });
    this.list.setAttribute("role", "listbox");
    this.input =
      choice.input ??
      make("input", { type: "text", autocomplete: "off", placeholder: box.dataset.type, value: choice.shown() });
    const roles = { "aria-autocomplete": "list", "aria-controls": id };
    if (!choice.input) Object.assign(roles, { role: "combobox", "aria-expanded": "false" });
    for (const [name, value] of Object.entries(roles)) this.input.setAttribute(name, value);
    choice.prepare(this.input);
    this.list.setAttribute("aria-label", this.input.labels?.[0]?.textContent.trim() ?? choice.label ?? box.dataset.type);
    box.classList.add("combobox");
    if (!choice.input) box.prepend(this.input);
    this.input.after(this.list);
    this.listen();
  }

  listen() {
    this.findSoon = debounce(150, () => this.find(this.typed()));
    this.input.addEventListener("input", () => {
      if (!this.input.value) this.choice.take("", "");
      this.move(-1); // Enter must not choose from what an earlier text has brought
      this.findSoon();
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    if (!this.choice.input) this.input.addEventListener("click", () => this.list.hidden && this.find(""));
    this.input.addEventListener("blur", () => this.leave());
    // Pressing an option must not move the focus before the click arrives.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(this.options.indexOf(option));
    });
  }

  typed() {
    return this.choice.typed?.() ?? this.input.value;
  }

  async find(text) {
    this.running?.abort();
    this.running = new AbortController();
    const url = new URL(this.box.dataset.combobox, location.href);
    url.searchParams.set("q", text);
    addValues(url, this.input.form, this.box.dataset.depends.split(" "));
    try {
      const answer = await fetch(url, { signal: this.running.signal, headers: { Accept: "application/json" } });
      if (answer.ok) this.show(await answer.json());
      else this.open(false);
    } catch {
      // Another letter was typed in the meantime, or the server cannot be reached: nothing is offered.
    }
  }

  show(records) {
    this.options = records.map(({ id, title }, index) => {
      const option = make("div", { id: `${this.list.id}-${index}` }, title);
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.value = id;
      return option;
    });
    const nothing = make("div", { className: "no-results" }, this.box.dataset.nothing);
    this.list.replaceChildren(...(this.options.length ? this.options : [nothing]));
    this.open(document.activeElement === this.input && (this.options.length > 0 || !this.choice.input));
    this.move(-1);
  }

  open(open) {
    this.list.hidden = !open;
    if (!this.choice.input) this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.isComposing) return; // a word in Chinese or Japanese is being chosen
    if (event.key in steps) {
      event.preventDefault();
      if (this.list.hidden) this.find(this.choice.typed?.() ?? "");
      else this.move((this.active + steps[event.key] + this.options.length) % (this.options.length || 1));
    } else if (event.key === "Enter" && !this.list.hidden && this.active >= 0) {
      event.preventDefault();
      this.choose(this.active);
    } else if (event.key === "Enter" && this.choice.input) {
      this.close();
    } else if (event.key === "Enter" && this.input.value !== this.choice.shown()) {
      event.preventDefault(); // the form would be sent without what is being looked for
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    }
  }

  move(index) {
    this.options[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const option = this.options[index];
    if (!option) return this.input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }

  choose(index) {
    const option = this.options[index];
    if (!option) return;
    this.choice.take(option.dataset.value, option.textContent);
    this.close();
    // The list is updated, and the values of a chosen field are offered.
    if (this.choice.input) this.input.dispatchEvent(new Event("input", { bubbles: true }));
    else this.input.value = this.choice.shown();
  }

  // The last text may still be being searched for: its answer must not reopen the list.
  close() {
    this.findSoon.cancel();
    this.running?.abort();
    this.open(false);
  }

  // Text typed without choosing a record is dropped; the current choice is shown again.
  leave() {
    this.close();
    if (!this.choice.input) this.input.value = this.choice.shown();
  }
}

attach("[data-combobox]", (box) => {
  if (!box.dataset.combobox) return;
  const [select, search] = [box.querySelector("select"), box.querySelector("input[type=search]")];
  const choice = select ? new OneChoice(select) : search ? new SearchText(search) : new SeveralChoices(box);
  const combobox = new Combobox(box, choice);
  if (!select) return;
  select.addEventListener("followed", ({ detail }) => {
    choice.take(detail.value, detail.title);
    combobox.input.value = choice.shown();
  });
  // After Back, browsers fill in what was chosen when scripts have already run; then Safari empties the input.
  addEventListener("pageshow", ({ persisted }) =>
    setTimeout(() => {
      choice.read();
      if (persisted || document.activeElement !== combobox.input) combobox.leave();
    }),
  );
});
