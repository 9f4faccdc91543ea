// Fills in a default such as $caller.company when its link is chosen, unless another value was typed.
// Without this script, the server fills it in when the form is sent.
import { attach, fill } from "./attach.js";

attach("[data-follows]", (field) => {
  const form = field.closest("form");
  let typed = false;
  let filling = false;
  field.addEventListener("input", () => (typed = true));
  field.addEventListener("change", () => (typed ||= !filling));
  form.addEventListener("change", async (event) => {
    if (event.target.name !== field.dataset.follows || typed) return;
    const url = new URL(field.dataset.followed, location.href);
    url.searchParams.set(field.dataset.follows, event.target.value);
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok || typed) return;
    const { inputs, title } = await answer.json();
    filling = true;
    for (const [name, value] of Object.entries(inputs)) fill(form.elements[name], value, title);
    filling = false;
  });
});
