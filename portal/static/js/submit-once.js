// Ignores a second press while a form is being sent. The server checks a one-time key as well, by which it also knows
// a form again to which the browser's Back button leads, and which is sent once more as it was.
import { attach } from "./attach.js";

attach("form[data-once]", (form) => {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sending) {
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented) return;
    form.dataset.sending = "yes";
    form.setAttribute("aria-busy", "true");
    if ("draft" in form.dataset && !event.submitter?.name) takeKeyOfBefore(form);
  });
  // The browser's Back button shows the page as it was left: it may be sent again.
  addEventListener("pageshow", (event) => {
    delete form.dataset.sending;
    form.removeAttribute("aria-busy");
    // A page that the browser has kept holds the key of what was sent: by that, a changed text would not be taken.
    const key = form.elements._once;
    if (event.persisted && key) key.value = `${key.value.split("~")[0]}~${Date.now()}`;
  });
});

/** Back draws a form anew, with a key of its own, and with what was typed: unless that is changed, the key of before
 * holds. The entry of the browser's history has it. */
function takeKeyOfBefore(form) {
  const once = form.elements._once;
  const typed = [...new FormData(form)].filter(([name]) => name[0] !== "_");
  const said = JSON.stringify([form.action, typed.map(([name, value]) => [name, value.name ?? value, value.size])]);
  const before = history.state?.sent;
  if (before?.said === said) once.value = before.once;
  else history.replaceState({ sent: { said, once: once.value } }, "");
}
