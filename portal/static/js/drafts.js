// Saves what the reader types on the server, so that it is restored after a lost session, on another device, or after
// leaving the page. If the server cannot be reached, the browser keeps a copy, only for the same account, until the
// server has it. Hidden inputs of other steps are sent along; files and passwords never.
import { attach, debounce } from "./attach.js";

const ADDRESS = "/account/drafts";
const DISCARD = "/account/discard";
const PREFIX = "draft:";
const SENT = "sent:";
const LARGEST_KEEPALIVE = 60_000; // bytes; browsers refuse to send more from a page that is being left

settleSent();

attach("body:not(.previewing) form[data-draft]", (form) => {
  const key = keyOf(form);
  const unchanged = contents(form).toString();
  let sent = false;
  let waiting = false;
  let running = null;

  const save = async (leaving = false) => {
    if (sent || !waiting) return;
    waiting = false;
    running?.abort();
    running = new AbortController();
    const body = contents(form);
    // An unchanged form has no draft, unless it was drawn with one.
    const address = body.toString() === unchanged && !form.querySelector("[data-discard-draft]") ? DISCARD : ADDRESS;
    sessionStorage.setItem(key, body.toString());
    if (await deliver(address, body, leaving, running.signal)) sessionStorage.removeItem(key);
  };
  const soon = debounce(400, save);
  const typed = () => {
    waiting = true;
    soon();
  };

  form.addEventListener("input", typed);
  form.addEventListener("change", typed);
  // The server keeps a form that it refuses; a later save would bring back the draft of a form that was sent or
  // discarded.
  const stop = () => {
    sent = true;
    running?.abort();
    sessionStorage.removeItem(key);
  };
  form.addEventListener("submit", () => {
    stop();
    sessionStorage.setItem(SENT + key, contents(form).toString());
  });
  for (const button of document.querySelectorAll("[data-discard-draft], [data-ends-form]")) button.addEventListener("click", stop);
  addEventListener("pagehide", () => save(true));
  addEventListener("pageshow", () => (sent = false));
  deliverCopy(key, form);
});

attach("form[data-forget-drafts]", (form) => {
  form.addEventListener("submit", () => {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
    }
  });
});

// What was taken leads on by a redirect. Whatever else comes after it, the form may have been sent in vain, as it was
// without a connection, or by somebody who was signed out by then: it is a copy again.
function settleSent() {
  const isSignedIn = document.querySelector("form[action='/logout']") !== null;
  const isTaken = isSignedIn && performance.getEntriesByType("navigation")[0].redirectCount > 0;
  for (const key of Object.keys(sessionStorage)) {
    if (!key.startsWith(SENT)) continue;
    if (!isTaken) sessionStorage.setItem(key.slice(SENT.length), sessionStorage.getItem(key));
    sessionStorage.removeItem(key);
  }
}

/** The key of the browser's copy. */
function keyOf(form) {
  return `${PREFIX}${form.elements._account.value}:${form.dataset.draft}`;
}

/** Everything that the form would send, as text. */
function contents(form) {
  const entries = [...new FormData(form)].filter(([, value]) => typeof value === "string");
  return new URLSearchParams([...entries, ["_form", form.dataset.draft]]);
}

/** The answer of the server if it has taken it. */
async function deliver(address, body, leaving, signal) {
  const keepalive = leaving && body.toString().length < LARGEST_KEEPALIVE;
  try {
    const answer = await fetch(address, { method: "POST", body, keepalive, redirect: "manual", signal });
    return answer.ok || (address === DISCARD && answer.type === "opaqueredirect") ? answer : null;
  } catch {
    return null;
  }
}

/** What the server has missed: it gets it now, and draws the page with it. It knows forms that it has taken by their
 * one-time keys, and a form that was refused is shown with the same key. */
async function deliverCopy(key, form) {
  const copy = sessionStorage.getItem(key);
  if (!copy) return;
  const body = new URLSearchParams(copy);
  const isShown = body.get("_once") === form.elements._once?.value;
  body.set("_csrf", document.querySelector("input[name=_csrf]").value);
  const answer = isShown ? null : await deliver(ADDRESS, body, false);
  if (isShown || answer) sessionStorage.removeItem(key);
  if (answer && (await answer.json()).saved) location.reload();
}
