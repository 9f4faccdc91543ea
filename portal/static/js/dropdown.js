// Closes open panels on Escape and on a press elsewhere; they open without any script.
import { attach } from "./attach.js";

attach("details[data-dropdown]", (details) => {
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary").focus();
  });
  // iPhones report no click on a place that does nothing.
  document.addEventListener("pointerdown", (event) => {
    if (details.open && !details.contains(event.target)) details.open = false;
  });
});
