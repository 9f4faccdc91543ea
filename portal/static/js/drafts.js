// Keeps what is typed in this tab until it has arrived, so that a lost session or a closed page loses nothing.
// Nothing secret: passwords, files and hidden inputs are left out; signing out forgets all drafts.
import { attach, calm } from "./attach.js";

const PREFIX = "draft:";
const SENT = "sent:"; // drafts on their way: whether they have arrived shows on the next page

const names = (prefix) => Object.keys(sessionStorage).filter((key) => key.startsWith(prefix));
const arrived = !document.querySelector("main.gate, main [aria-invalid], main .alert.bad");

for (const key of names(SENT)) {
  if (arrived) sessionStorage.removeItem(PREFIX + key.slice(SENT.length));
  sessionStorage.removeItem(key);
}

attach("form[data-draft]", (form) => {
  const name = form.dataset.draft;
  const key = PREFIX + name;
  if (arrived) fill(form, sessionStorage.getItem(key));
  const save = () => {
    const typed = inputs(form).map((input) => [input.name, input.value, ticked(input) ? input.checked : null]);
    sessionStorage.setItem(key, JSON.stringify(typed));
  };
  form.addEventListener("input", calm(300, save));
  form.addEventListener("submit", () => {
    save();
    sessionStorage.setItem(SENT + name, "yes");
  });
});

attach("[data-forget-draft]", (link) => {
  link.addEventListener("click", () => sessionStorage.removeItem(PREFIX + link.closest("form").dataset.draft));
});

attach("form[data-clear-drafts]", (form) => {
  form.addEventListener("submit", () => names(PREFIX).forEach((key) => sessionStorage.removeItem(key)));
});

function inputs(form) {
  const left = ["hidden", "password", "file", "submit", "button"];
  return [...form.querySelectorAll("input, select, textarea")].filter(
    (input) => input.name && !input.name.startsWith("_") && !left.includes(input.type),
  );
}

// Only what the server has left empty is filled in: what it says is newer.
function fill(form, text) {
  if (!text) return;
  const there = inputs(form);
  for (const [name, value, checked] of JSON.parse(text)) {
    const input = there.find((each) => each.name === name && (!ticked(each) || each.value === value));
    if (!input) continue;
    if (ticked(input)) input.checked = checked;
    else if (value && !input.value) input.value = value;
  }
  form.dispatchEvent(new Event("change"));
}

function ticked(input) {
  return input.type === "checkbox" || input.type === "radio";
}
