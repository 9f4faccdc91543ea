// Adds the browser's own color picker next to the text of a color.
import { attach, make } from "./attach.js";

attach("input[data-color]", (input) => {
  const picker = make("input", { type: "color", value: input.value || "#2457d6" });
  picker.setAttribute("aria-label", input.labels?.[0]?.textContent.trim() ?? "");
  picker.addEventListener("input", () => (input.value = picker.value));
  input.addEventListener("input", () => {
    if (input.validity.valid && input.value) picker.value = input.value;
  });
  input.after(picker);
});
