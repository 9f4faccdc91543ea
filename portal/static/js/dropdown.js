// Closes open panels on Escape and on a click elsewhere; they open without any script.
import { attach } from "./attach.js";

attach("details[data-dropdown]", (details) => {
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    if (details.open && !details.contains(event.target)) details.open = false;
  });
});
