// Fills in a default such as $caller.company when its link is chosen, unless the field has another value than the link
// gave it before. Without this script, the server fills it in when the form is sent.
import { addValues, attach, controls, fill } from "./attach.js";

attach("[data-follows]", (field) => {
  const form = field.closest("form");
  const inputs = () => field.dataset.follows.split(" "); // the link, and what its offers depend on; a moved line renames them
  const address = () => {
    const url = new URL(field.dataset.followed, location.href);
    addValues(url, form, inputs());
    return url.href;
  };
  let before;
  const remember = () => (before = address());
  remember();
  addEventListener("pageshow", remember); // after Back, browsers fill in what was chosen when scripts have already run
  form.addEventListener("change", async ({ target }) => {
    if (target.name !== inputs()[0]) return;
    const now = address();
    const [former, followed] = await Promise.all([before, now].map(ask));
    if (now !== address()) return;
    before = now;
    const [values, given] = [new FormData(form), Object.values(former.inputs)];
    const names = Object.keys(followed.inputs);
    if (names.some((name, index) => String(values.getAll(name)) !== String(given[index] ?? ""))) return;
    for (const name of names) fill(controls(form).namedItem(name), followed.inputs[name], followed.title);
  });
});

async function ask(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  return answer.ok ? answer.json() : { inputs: {} };
}
