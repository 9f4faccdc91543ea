// Creates a passkey, or signs in with one: the button has the address from which the browser gets what it needs.
import { attach } from "./attach.js";

attach("[data-passkey]", (button) => {
  const { form } = button;
  const kinds = window.PublicKeyCredential;
  if (!kinds?.parseRequestOptionsFromJSON) {
    button.hidden = true;
    return;
  }
  const failed = form.querySelector("[data-passkey-failed]");
  const message = failed.lastElementChild;
  const generalMessage = message.textContent;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    failed.hidden = true;
    message.textContent = generalMessage;
    const { _csrf, current, credential } = form.elements;
    try {
      const body = new URLSearchParams({ _csrf: _csrf.value, current: current?.value ?? "" });
      const options = await (await fetch(button.dataset.passkey, { method: "POST", body })).json();
      if (options.error) {
        message.textContent = options.error;
        throw options;
      }
      const made = options.user
        ? await navigator.credentials.create({ publicKey: kinds.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: kinds.parseRequestOptionsFromJSON(options) });
      credential.value = JSON.stringify(made);
      form.requestSubmit(button);
    } catch {
      failed.hidden = false;
    }
  });
});
