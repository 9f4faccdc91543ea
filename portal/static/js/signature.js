// A pad next to the typed name. The drawing goes into a hidden input as a path of straight lines; the server checks it.
import { attach, make } from "./attach.js";

const [WIDTH, HEIGHT, STEP, LONGEST] = [600, 200, 4, 39000];

attach("[data-signature]", (signing) => {
  const drawing = signing.querySelector('input[type="hidden"]');
  const { svg, path } = picture(signing.dataset.sign);
  const label = make("span", { ariaHidden: "true" }, signing.dataset.sign);
  const clear = make("button", { type: "button", className: "button" }, signing.dataset.clear);
  const pad = make("div", { className: "signature-pad" }, svg, clear);
  const hint = make("p", { className: "hint" }, signing.dataset.hint);
  signing.querySelector('input[type="text"]').after(label, pad, hint);

  const show = (text) => {
    drawing.value = text;
    path.setAttribute("d", text);
    clear.hidden = !text;
    // Triggers saving the draft, as typing does.
    drawing.dispatchEvent(new Event("input", { bubbles: true }));
  };
  path.setAttribute("d", drawing.value);
  clear.hidden = !drawing.value;
  clear.addEventListener("click", () => show(""));
  listen(svg, () => drawing.value, show);
});

function picture(label) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const path = svg.appendChild(document.createElementNS(namespace, "path"));
  return { svg, path };
}

function listen(svg, text, show) {
  let last = null;
  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const within = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
    const x = within(((event.clientX - box.left) / box.width) * WIDTH, WIDTH);
    return [x, within(((event.clientY - box.top) / box.height) * HEIGHT, HEIGHT)];
  };
  svg.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    last = point(event);
    if (text().length < LONGEST) show(`${text()}M${last.join(" ")}L${last.join(" ")}`);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = point(event);
    if (Math.hypot(next[0] - last[0], next[1] - last[1]) < STEP || text().length >= LONGEST) return;
    last = next;
    show(`${text()}L${next.join(" ")}`);
  });
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, () => (last = null));
}
