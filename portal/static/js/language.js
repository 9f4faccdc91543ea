// Choosing a language redraws the page immediately; without this script, the button next to it does that.
import { attach } from "./attach.js";

attach("form[data-language]", (form) => {
  const select = form.querySelector("select");
  let byKeyboard = false;
  // The arrow keys pass through languages on the way to the chosen one: keyboard users press the button.
  select.addEventListener("keydown", () => (byKeyboard = true));
  select.addEventListener("pointerdown", () => (byKeyboard = false));
  select.addEventListener("change", () => byKeyboard || form.requestSubmit());
});
