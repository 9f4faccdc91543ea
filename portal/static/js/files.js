// Files: dropped, pasted or chosen ones are listed with their sizes; too large ones are refused before they are sent;
// the upload form of a record sends at once and shows how far it is.
import { attach, drawn, make } from "./attach.js";

attach("[data-drop]", (box) => {
  const input = box.querySelector("input[type=file]");
  const most = Number(box.dataset.most) || Infinity;
  const list = box.querySelector("[data-picked]");

  const take = (files) => {
    const all = new DataTransfer();
    const refused = [];
    for (const file of [...input.files, ...files]) {
      if (file.size > most) refused.push(file);
      else all.items.add(file);
    }
    input.files = all.files;
    show(refused);
    input.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
  };

  const show = (refused) => {
    const taken = [...input.files].map((file) => make("li", {}, `${file.name} · ${size(file.size)}`));
    const not = refused.map((file) => make("li", { className: "error" }, `${file.name}: ${box.dataset.tooLarge} (${size(file.size)})`));
    list.replaceChildren(...taken, ...not);
    list.hidden = !taken.length && !not.length;
  };

  for (const name of ["dragenter", "dragover"]) {
    box.addEventListener(name, (event) => {
      event.preventDefault();
      box.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) box.addEventListener(name, () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  input.addEventListener("change", () => take([]));
  box.takeFiles = take;
});

// Files pasted or dropped into a comment's text are attached to it.
attach("[data-attach]", (details) => {
  const text = details.closest("form").querySelector("textarea");
  const add = (event, files) => {
    if (!files?.length) return;
    event.preventDefault();
    details.open = true;
    details.querySelector("[data-drop]").takeFiles(files);
  };
  text.addEventListener("paste", (event) => add(event, event.clipboardData.files));
  text.addEventListener("drop", (event) => add(event, event.dataTransfer.files));
});

attach("form[data-upload]", (form) => {
  form.addEventListener("picked", () => {
    if (!form.querySelector("input[type=file]").files.length) return;
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const bar = make("progress", { max: 1, value: 0 });
    form.querySelector("[data-drop]").append(bar);
    const request = new XMLHttpRequest();
    request.open("POST", form.getAttribute("action"));
    request.upload.addEventListener("progress", ({ loaded, total }) => (bar.value = loaded / total));
    request.addEventListener("load", () => redraw(request));
    request.addEventListener("error", () => bar.remove());
    request.send(new FormData(form));
  });
});

function redraw(request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const part = page.querySelector("#documents");
  const here = document.querySelector("#documents");
  if (!part || !here) {
    // An error is shown where the record was; anything else is another page, the sign-in for example.
    const main = page.querySelector("main");
    if (request.status < 400 || !main) location.assign(request.responseURL);
    else document.querySelector("main").replaceChildren(...main.childNodes);
    return;
  }
  here.replaceWith(document.adoptNode(part));
  drawn(part.parentNode);
}

function size(bytes) {
  const words = (unit, value) =>
    new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
  return bytes < 1e6 ? words("kilobyte", bytes / 1e3) : words("megabyte", bytes / 1e6);
}
