// Refreshes lists in place while the reader types: fetches the new address, and replaces the parts marked data-swap.
import { attach, debounce, drawn, parsePage } from "./attach.js";

attach("form[data-list]", (form) => {
  let running = null;

  const address = () => {
    const url = new URL(form.getAttribute("action"), location.href);
    // In a saved view, an empty input removes the view's filter.
    const filled = [...new FormData(form)].filter(([, value]) => typeof value === "string" && (form.elements.view || value.trim() !== ""));
    url.search = new URLSearchParams(filled).toString();
    return url;
  };

  const refresh = async (submitted = false) => {
    running?.abort();
    running = new AbortController();
    const url = address();
    document.querySelector("[data-records]")?.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { signal: running.signal, headers: { Accept: "text/html" } });
      if (answer.redirected || !answer.ok) {
        location.assign(url);
        return;
      }
      swap(parsePage(await answer.text()));
      history.replaceState(null, "", url);
    } catch (error) {
      if (error.name === "AbortError") return;
      // No connection: after Enter, the browser reports it. While typing, the next letter tries again; navigating now could
      // get in the way of someone who is leaving the page.
      if (submitted) location.assign(url);
    }
    document.querySelector("[data-records]")?.removeAttribute("aria-busy");
  };

  const soon = debounce(200, () => refresh());
  const belongs = (event) => event.target.form === form;
  document.addEventListener("input", (event) => belongs(event) && soon());
  // The filter of a range is in a popover: when it closes, its button shows what was chosen.
  document.addEventListener("toggle", (event) => event.target.matches(".range-panel") && event.newState === "closed" && soon(), true);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    document.querySelector(".range-panel:popover-open")?.hidePopover();
    refresh(true);
  });
});

// If there is no room for all tabs or modules, makes the current one visible.
attach(".tabs [aria-current]", (tab) => {
  const [shown, row] = [tab, tab.parentElement].map((element) => element.getBoundingClientRect());
  if (shown.left >= row.left && shown.right <= row.right) return;
  tab.parentElement.scrollBy(shown.left + shown.width / 2 - row.left - row.width / 2, 0); // only the row, not the page
});
attach(".side [aria-current]", (place) => {
  const side = place.closest(".side");
  if (place.offsetTop + place.offsetHeight > side.clientHeight) side.scrollTop = place.offsetTop - side.clientHeight / 2;
});

function swap(page) {
  const focus = remember(document.activeElement);
  for (const part of page.querySelectorAll("[data-swap]")) {
    const here = document.querySelector(`[data-swap="${part.dataset.swap}"]`);
    if (!here) continue;
    if (here.querySelector(":popover-open")) {
      here.querySelector("tbody")?.replaceWith(document.adoptNode(part.querySelector("tbody")));
      continue;
    }
    keepInput(here, part);
    here.replaceWith(document.adoptNode(part));
    drawn(part);
  }
  const summary = document.querySelector(".filter-switch > summary");
  const newer = page.querySelector(".filter-switch > summary");
  if (summary && newer) summary.replaceChildren(...document.adoptNode(newer).childNodes);
  const exports = page.querySelectorAll("[data-export]");
  document.querySelectorAll("[data-export]").forEach((link, index) => {
    if (exports[index]) link.href = exports[index].href;
  });
  restore(focus);
}

// The text in the focused input is newer than the server's answer.
function keepInput(here, part) {
  const active = document.activeElement;
  if (!here.contains(active) || !active.name) return;
  const same = part.querySelector(`[name="${CSS.escape(active.name)}"]`);
  if (same && active.tagName === "INPUT") same.value = active.value;
}

// The same control in the new part; a link whose address has changed, such as one that sorts, by its place.
function remember(element) {
  const part = element?.closest("main [data-swap]");
  if (!part) return null;
  const name = ["name", "popovertarget", "href"].find((attribute) => element.hasAttribute(attribute));
  const same = name && `${element.localName}[${name}="${CSS.escape(element.getAttribute(name))}"]`;
  const place = [...part.querySelectorAll(element.localName)].indexOf(element);
  const range = typeof element.selectionStart === "number" ? [element.selectionStart, element.selectionEnd] : null;
  return { element, part: part.dataset.swap, same, place, range };
}

function restore(focus) {
  if (!focus || focus.element.isConnected) return;
  const part = document.querySelector(`[data-swap="${focus.part}"]`);
  const element = (focus.same && part.querySelector(focus.same)) || part.querySelectorAll(focus.element.localName)[focus.place];
  element?.focus({ preventScroll: true });
  if (focus.range && element?.setSelectionRange) element.setSelectionRange(...focus.range);
}
