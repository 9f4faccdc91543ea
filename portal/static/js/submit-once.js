// Ignores a second press while a form is being sent. The server also checks a one-time key, from which it recognizes a
// form that is sent again unchanged after the browser's Back button.
import { attach, controls, data } from "./attach.js";

attach("form[data-once]", (form) => {
  form.addEventListener("submit", (event) => {
    if (data(form).sending) {
      event.preventDefault();
      return;
    }
    if (event.defaultPrevented) return;
    data(form).sending = "yes";
    form.setAttribute("aria-busy", "true");
    if ("draft" in data(form) && !event.submitter?.name) takeKeyOfBefore(form);
  });
  // The browser's Back button shows the page as it was left: the form may be sent again.
  addEventListener("pageshow", (event) => {
    delete data(form).sending;
    form.removeAttribute("aria-busy");
    // A page cached by the browser contains the key of the sent form: with it, a changed text would not be accepted.
    const key = controls(form)._once;
    if (event.persisted && key) key.value = `${key.value.split("~")[0]}~${Date.now()}`;
  });
});

/** Back draws a form again, with a new key and the typed text: unless that is changed, the previous key applies. The
 * entry of the browser's history has it. */
function takeKeyOfBefore(form) {
  const once = controls(form)._once;
  const typed = [...new FormData(form)].filter(([name]) => !/(^|\.)_/.test(name));
  const content = JSON.stringify([form.getAttribute("action"), typed.map(([name, value]) => [name, value.name ?? value, value.size])]);
  const before = history.state?.sent;
  if (before?.content === content) once.value = before.once;
  else history.replaceState({ ...history.state, sent: { content, once: once.value } }, "");
}
