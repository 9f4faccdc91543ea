// A button next to a place that fills in the device's location, once its user has allowed it.
import { attach, make } from "./attach.js";

attach("input[data-location]", (input) => {
  if (!navigator.geolocation) return;
  const button = make("button", { type: "button", className: "button" }, input.dataset.location);
  const located = ({ coords }) => {
    button.disabled = false;
    input.value = [coords.latitude, coords.longitude].map((degrees) => +degrees.toFixed(5)).join(", ");  // accurate to a meter
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  };
  const failed = () => {
    button.disabled = false;
    button.replaceChildren(input.dataset.failed);
  };
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(located, failed, { enableHighAccuracy: true, timeout: 20000 });
  });
  input.after(button);
});
