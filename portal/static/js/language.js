// Choosing a language redraws the page at once; without this script the button beside it does.
import { attach } from "./attach.js";

attach("form[data-language]", (form) => {
  const select = form.querySelector("select");
  let byPointer = false;
  // With the arrow keys one passes over languages that are not meant: then the button is pressed.
  select.addEventListener("pointerdown", () => (byPointer = true));
  select.addEventListener("keydown", () => (byPointer = false));
  select.addEventListener("change", () => byPointer && form.requestSubmit());
});
