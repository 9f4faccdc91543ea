// Amounts, totals and whatever else is computed follow what is typed; the server works them out, exact and in the
// reader's notation. Without this script they follow when the form is sent.
import { attach, debounce } from "./attach.js";

attach("form[data-compute]", (form) => {
  let running = null;

  const compute = debounce(250, async () => {
    running = new AbortController();
    const body = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
    try {
      const answer = await fetch(form.dataset.compute, { method: "POST", body, signal: running.signal });
      if (answer.ok) show(await answer.json());
    } catch {
      // Another change has come in between, or the server cannot be reached: what is shown stays.
    }
  });

  function show(texts) {
    for (const output of form.querySelectorAll("[data-computed]")) {
      const text = texts[output.dataset.computed] ?? "—";
      if (output.textContent !== text) output.textContent = text;
    }
    form.dispatchEvent(new CustomEvent("decided", { detail: texts._rules ?? {} }));
  }

  const changed = () => {
    running?.abort();
    compute();
  };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("followed", changed);
});
