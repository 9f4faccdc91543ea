// Fills in a default such as $caller.company when its link is chosen, unless another value was typed.
// Without this script, the server fills it in when the form is sent.
import { attach, controls, fill } from "./attach.js";

attach("[data-follows]", (field) => {
  const form = field.closest("form");
  const inputs = () => field.dataset.follows.split(" "); // the link, and what its offers depend on; a moved line renames them
  let typed = false;
  let filling = false;
  field.addEventListener("input", () => (typed = true));
  field.addEventListener("change", () => (typed ||= !filling));
  form.addEventListener("change", async (event) => {
    if (event.target.name !== inputs()[0] || typed) return;
    const chosen = event.target.value;
    const url = new URL(field.dataset.followed, location.href);
    const values = new FormData(form);
    for (const name of inputs()) url.searchParams.set(name, values.get(name) ?? "");
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok || typed || event.target.value !== chosen) return;
    const followed = await answer.json();
    filling = true;
    for (const [name, value] of Object.entries(followed.inputs)) fill(controls(form).namedItem(name), value, followed.title);
    filling = false;
  });
});
