// What people type or paste reaches the server whole, which says what is wrong with it: browsers cut off pasted text that
// is too long, and send nothing for a date that is incomplete or does not exist.
import { attach, controls } from "./attach.js";

attach("form[data-form]", (form) => {
  form.addEventListener("paste", ({ target }) => target.removeAttribute("maxlength"));
  form.addEventListener(
    "submit",
    (event) => {
      const unreadable = [...controls(form)].find((input) => input.validity.badInput && input.checkVisibility());
      if (!unreadable || event.submitter?.formNoValidate) return;
      event.preventDefault();
      event.stopImmediatePropagation(); // the form is not being sent
      unreadable.reportValidity();
    },
    true,
  );
});
