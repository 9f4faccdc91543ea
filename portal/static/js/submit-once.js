// Ignores a second press while a form is being sent. The server checks a one-time key as well.
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
