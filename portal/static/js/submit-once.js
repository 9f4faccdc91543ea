// A second press while a form is on its way is ignored. The server has a one-time key as well.
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
  // Coming back with the browser's button shows the page as it was left.
  addEventListener("pageshow", () => {
    delete form.dataset.sending;
    form.removeAttribute("aria-busy");
  });
});
