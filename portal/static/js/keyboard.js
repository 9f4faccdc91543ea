// Keyboard shortcuts: Ctrl-K everywhere; single keys outside inputs, unless the reader has turned them off (WCAG 2.1.4).
import { attach, debounce, make, parsePage } from "./attach.js";

const OFF = "portal-single-keys-off";
const HITS = 6;

attach("dialog[data-keys]", (dialog) => {
  const single = dialog.querySelector("[data-single-keys]");
  const remember = () => {
    single.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "yes");
    document.documentElement.toggleAttribute("data-single-keys", single.checked); // shows the key next to the search
  };
  single.checked = !localStorage.getItem(OFF);
  single.addEventListener("change", remember);
  remember();
  document.addEventListener("click", (event) => event.target.closest("[data-open-keys]") && dialog.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector("dialog[open], :popover-open")) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      document.querySelector("dialog[data-places]").showModal();
    } else if (single.checked && !event.ctrlKey && !event.metaKey && !event.target.closest("input, select, textarea, [contenteditable]")) {
      if (act(event.key, dialog)) event.preventDefault();
    }
  });
});

/** Performs the action of a single key; returns whether there was one. */
function act(key, help) {
  if (key === "?") return help.showModal(), true;
  if (key === "/") {
    const search = document.querySelector("main input[type=search]") ?? document.querySelector(".top a[href='/search']");
    search?.matches("a") ? search.click() : search?.focus();
    return search;
  }
  if (!["j", "k", "c"].includes(key)) return false;
  const rows = [...document.querySelectorAll("main :is(a.cover, .hits a:not(.push))")];
  if (rows.length && key !== "c" && !document.querySelector(`[data-key="${key}"]`)) {
    const here = rows.findIndex((row) => row.closest("tr, li").contains(document.activeElement));
    rows.at(key === "j" ? Math.min(here + 1, rows.length - 1) : Math.max(here - 1, 0)).focus();
    return true;
  }
  const link = document.querySelector(`[data-key="${key}"]`);
  link?.click();
  return link;
}

// The destinations: the targets of the menu and of the page's buttons, and the records that a search finds.
attach("dialog[data-places]", (dialog) => {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  const places = () => [...document.querySelectorAll(".side a, .page-head a.button, .tabs a, .tiles a")];
  const name = (link) => (link.querySelector(":scope > span:not(.glyph, .count), strong") ?? link).textContent.trim();
  const item = (link, ...parts) => make("li", {}, make("a", { href: link.href }, ...parts));
  const show = () => {
    const typed = input.value.trim().toLowerCase();
    const byAddress = new Map(places().map((link) => [link.href, link]));
    const fits = [...byAddress.values()].filter((link) => name(link).toLowerCase().includes(typed));
    list.replaceChildren(...fits.map((link) => item(link, ...[link.querySelector("svg")?.cloneNode(true), name(link)].filter(Boolean))));
  };
  const search = debounce(250, async (typed) => {
    const answer = typed && (await fetch(`/search?q=${encodeURIComponent(typed)}`, { headers: { Accept: "text/html" } }).catch(() => null));
    if (!answer?.ok || typed !== input.value.trim()) return;
    const page = parsePage(await answer.text());
    const hits = [...page.querySelectorAll("main .chips a.chip, main .hits a")].slice(0, HITS);
    if (typed === input.value.trim()) list.append(...hits.map((hit) => item(hit, hit.textContent.trim())));
  });
  input.addEventListener("input", () => {
    show();
    search(input.value.trim());
  });
  new MutationObserver(() => dialog.open && show()).observe(dialog, { attributeFilter: ["open"] });
  dialog.addEventListener("close", () => (input.value = ""));
  // Enter opens the first destination; without one, the form searches.
  dialog.querySelector("form").addEventListener("submit", (event) => {
    const first = list.querySelector("a");
    if (!first) return;
    event.preventDefault();
    first.click();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
    event.preventDefault();
    const stops = [input, ...list.querySelectorAll("a")];
    const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    stops.at(Math.max(0, Math.min(next, stops.length - 1))).focus();
  });
});
