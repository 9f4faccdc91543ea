// Offers records that may answer a new one below its title, as it is typed. Without this script or a connection, nothing
// is offered.
import { attach, debounce, make } from "./attach.js";

attach("[data-suggest]", (box) => {
  const input = document.getElementById(box.dataset.beside);
  const [summary, list] = [box.querySelector("[role=status]"), box.querySelector("ul")];
  let running = null;

  const look = async () => {
    running?.abort();
    running = new AbortController();
    try {
      const response = await fetch(`${box.dataset.suggest}?q=${encodeURIComponent(input.value)}`, { signal: running.signal });
      if (response.ok) show(await response.json());
    } catch {
      // Another letter was typed in the meantime, or the server cannot be reached.
    }
  };

  const show = (answer) => {
    const items = answer.suggestions.map(({ title, url, about }) =>
      make("li", {}, make("a", { href: url, target: "_blank" }, title), make("div", { className: "small muted" }, about)),
    );
    list.replaceChildren(...items);
    if (summary.textContent !== answer.summary) summary.textContent = answer.summary;
  };

  input.closest(".form-row").after(box);
  input.addEventListener("input", debounce(400, look));
  if (input.value) look();
});
