// Updates amounts, totals and other computed values as the reader types; the server computes them, exactly and in the
// reader's notation. Without this script, they are updated when the form is sent.
import { attach, data, debounce } from "./attach.js";

attach("form[data-compute]", (form) => {
  let running = null;
  const contents = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
  const drawn = contents().toString();

  const compute = debounce(250, async () => {
    running = new AbortController();
    try {
      const answer = await fetch(data(form).compute, { method: "POST", body: contents(), signal: running.signal });
      if (answer.ok) show(await answer.json());
    } catch {
      // There was another change in the meantime, or the server cannot be reached: the shown values stay.
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
  // After Back, browsers fill in what was typed when scripts have already run.
  addEventListener("pageshow", () => contents().toString() !== drawn && changed());
});
