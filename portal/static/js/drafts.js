// Saves what the reader types on the server, so that it is restored after a lost session, on another device, or after
// leaving the page. If the server cannot be reached, the browser keeps a copy, only for the same account, until the
// server has it. Hidden inputs of other steps are sent along; files and passwords never.
import { attach, controls, data, debounce } from "./attach.js";

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
    keep(key, body);
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
    keep(SENT + key, contents(form));
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

// An accepted form is answered with a redirect. If anything else follows, sending may have failed, for lack of a
// connection or because the session had ended: then it is a copy again.
function settleSent() {
  const isSignedIn = document.querySelector("form[action='/logout']") !== null;
  const isTaken = isSignedIn && performance.getEntriesByType("navigation")[0].redirectCount > 0;
  for (const key of Object.keys(sessionStorage)) {
    if (!key.startsWith(SENT)) continue;
    if (!isTaken) sessionStorage.setItem(key.slice(SENT.length), sessionStorage.getItem(key));
    sessionStorage.removeItem(key);
  }
}

function keep(key, body) {
  try {
    sessionStorage.setItem(key, body.toString());
  } catch {
    // The browser has no room: the server's draft is the only one.
  }
}

/** The key of the browser's copy. */
function keyOf(form) {
  return `${PREFIX}${controls(form)._account.value}:${data(form).draft}`;
}

/** Everything that the form would send, as text. */
function contents(form) {
  const entries = [...new FormData(form)].filter(([, value]) => typeof value === "string");
  return new URLSearchParams([...entries, ["_form", data(form).draft]]);
}

/** The server's answer if it has accepted the form. */
async function deliver(address, body, leaving, signal) {
  const keepalive = leaving && body.toString().length < LARGEST_KEEPALIVE;
  try {
    const answer = await fetch(address, { method: "POST", body, keepalive, redirect: "manual", signal });
    return answer.ok || (address === DISCARD && answer.type === "opaqueredirect") ? answer : null;
  } catch {
    return null;
  }
}

/** Sends the server what it has missed; the server then draws the page with it. It recognizes accepted forms by their
 * one-time keys; a refused form is shown again with the same key. */
async function deliverCopy(key, form) {
  const copy = sessionStorage.getItem(key);
  if (!copy) return;
  const body = new URLSearchParams(copy);
  const isShown = body.get("_once") === controls(form)._once?.value;
  body.set("_csrf", document.querySelector("input[name=_csrf]").value);
  const answer = isShown ? null : await deliver(ADDRESS, body, false);
  if (isShown || answer) sessionStorage.removeItem(key);
  if (answer && (await answer.json()).saved) location.reload();
}
