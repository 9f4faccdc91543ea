// Copies the text of the input or text area next to the button.
import { attach } from "./attach.js";

attach("[data-copy]", (button) => {
  const input = button.parentElement.querySelector("input, textarea");
  button.addEventListener("click", async () => {
    input.select();
    await navigator.clipboard.writeText(input.value);
  });
});
