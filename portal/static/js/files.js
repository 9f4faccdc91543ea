// Files: dropped, pasted or chosen ones are listed, can be removed again, and show their progress while they are sent.
// A file that is too large is refused before it is sent; the server checks the same again.
import { attach, data, drawn, make, parsePage } from "./attach.js";

attach("[data-drop]", (box) => {
  const input = box.querySelector("input[type=file]");
  const list = box.querySelector("[data-picked]");
  const form = box.closest("form");
  let picked = [];
  let refused = [];

  const most = Number(box.dataset.maxCount);
  // The files that the form already has, each with a checkbox that removes it.
  const present = () => [...box.querySelectorAll("input[type=checkbox]:checked")];

  const take = (files) => {
    refused = [];
    for (const file of files) {
      const fits = file.size <= Number(box.dataset.maxSize);
      if (fits && most === 1) {
        // If only one is allowed, another acceptable one replaces it.
        picked = [];
        for (const checkbox of present()) checkbox.checked = false;
      }
      (fits && present().length + picked.length < most ? picked : refused).push(file);
    }
    keep();
    if (picked.length) box.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
  };

  const keep = () => {
    const all = new DataTransfer();
    for (const file of picked) all.items.add(file);
    input.files = all.files;
    const rows = [...picked.map(row), ...refused.map(refusal)];
    list.replaceChildren(...rows);
    list.hidden = !rows.length;
  };

  const row = (file) => {
    const remove = make("button", { type: "button", className: "button quiet small", textContent: box.dataset.remove });
    remove.setAttribute("aria-label", `${box.dataset.remove} ${file.name}`);
    remove.addEventListener("click", () => {
      picked = picked.filter((other) => other !== file);
      keep();
      input.focus();
    });
    const words = make("span", { className: "grow" }, make("span", { className: "name" }, file.name), small(size(file.size)));
    return make("li", {}, words, remove);
  };

  const refusal = (file) => {
    const reason = file.size > Number(box.dataset.maxSize) ? box.dataset.tooLarge : box.querySelector(".target .small").textContent;
    const words = make("span", { className: "grow" }, make("span", { className: "name" }, file.name), small(`${size(file.size)} · ${reason}`));
    return make("li", { className: "refused" }, words);
  };

  // The bytes of a form are sent in the order of its files: their number shows the progress of each. Returns how many are
  // left for the next input.
  box.showProgress = (sent) => {
    let before = 0;
    [...list.children].slice(0, picked.length).forEach((item, index) => {
      const bar = item.querySelector("progress") ?? item.querySelector(".grow").appendChild(make("progress", { max: 1 }));
      bar.value = Math.min(1, Math.max(0, (sent - before) / Math.max(1, picked[index].size)));
      item.querySelector("button")?.remove();
      before += picked[index].size;
    });
    return sent - before;
  };

  // No answer: the chosen files stay, and can be removed or sent again; with `again` if the form has no button.
  box.showUnanswered = (again) => {
    if (!picked.length) return;
    keep();
    const item = make("li", { className: "refused" }, make("span", { className: "grow" }, box.dataset.unanswered));
    if (again) {
      const button = make("button", { type: "button", className: "button small", textContent: box.dataset.again });
      button.addEventListener("click", again);
      item.append(button);
    }
    list.append(item);
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
    if (!input.matches(":disabled")) take(event.dataTransfer.files);
  });
  input.addEventListener("change", () => {
    const chosen = [...input.files];
    take(chosen);
  });
  form.addEventListener("reset", () => {
    picked = [];
    refused = [];
    keep();
  });
  box.takeFiles = take;
  box.refusedFiles = () => refused;
  box.showRefused = (files) => {
    refused = files;
    keep();
  };
});

// Files pasted into a form, or dropped into the text of a comment, are added to those of the form.
attach("form:has([data-drop])", (form) => {
  const boxes = [...form.querySelectorAll("[data-drop]")];
  const add = (event, files) => {
    const box = event.target.closest("[data-drop]") ?? boxes.find(takesSeveral);
    if (!box || !files.length) return;
    event.preventDefault();
    box.closest("details")?.setAttribute("open", "");
    box.takeFiles(files);
  };
  form.addEventListener("paste", (event) => add(event, pastedFiles(event.clipboardData)));
  const text = form.querySelector("[data-attach]") && form.querySelector("textarea");
  text?.addEventListener("drop", (event) => add(event, event.dataTransfer.files));
});

// Unless a condition hides or locks it: its files would not be sent.
function takesSeveral(box) {
  return Number(box.dataset.maxCount) !== 1 && !box.closest("[hidden], fieldset:disabled");
}

/** The files of a clipboard. Cells of a spreadsheet come with a picture of them: what is pasted then is the text. */
function pastedFiles({ files, types }) {
  return types.includes("text/plain") && types.includes("text/html") ? [] : files;
}

// The card of a record's files sends chosen files immediately; those chosen in the meantime, later from the new card.
attach("form[data-upload]", (form) => {
  const input = form.querySelector("input[type=file]");
  const sendAll = () => {
    if (form.hasAttribute("aria-busy")) return;
    const sent = input.files.length;
    const then = (page) => {
      const later = [...input.files].slice(sent);
      const refused = form.querySelector("[data-drop]").refusedFiles();
      redrawPart(page, "documents");
      queueMicrotask(() => {
        const box = document.querySelector("#documents [data-drop]");
        if (later.length) box?.takeFiles(later);
        else if (refused.length) box?.showRefused(refused);
      });
    };
    send(form, null, then, sendAll);
  };
  form.addEventListener("picked", sendAll);
});

// A form with files is sent by the script, which shows the progress; without files, the browser sends it.
attach("form[data-sends-files]", (form) => {
  form.addEventListener("submit", (event) => {
    const hasFiles = [...form.querySelectorAll("input[type=file]")].some((input) => input.files.length);
    if (event.defaultPrevented || !hasFiles) return;
    event.preventDefault();
    if (form.hasAttribute("aria-busy")) return;
    send(form, event.submitter, (page, request) => {
      const shown = request.getResponseHeader("Content-Location");
      if (request.status < 400 && request.responseURL !== new URL(actionOf(form), location.href).href) location.assign(request.responseURL);
      else if (shown) showPage(page, shown);
      else document.querySelector("main").replaceWith(show(page.querySelector("main")));
    });
  });
});

function send(form, submitter, then, again) {
  const boxes = [...form.querySelectorAll("[data-drop]")];
  const request = new XMLHttpRequest();
  form.setAttribute("aria-busy", "true");
  request.open("POST", actionOf(form));
  // The page that the answer redirects to is opened afterwards: its one-time message must wait for that.
  if ("sendsFiles" in data(form)) request.setRequestHeader("Portal-Opens-Later", "yes");
  request.upload.addEventListener("progress", (event) => boxes.reduce((sent, box) => box.showProgress(sent), event.loaded));
  request.addEventListener("loadend", () => {
    form.removeAttribute("aria-busy");
    delete data(form).sending;
    const page = parsePage(request.responseText);
    if (page.querySelector("main")) then(page, request);
    else {
      boxes.forEach((box) => box.showUnanswered(again));
      dispatchEvent(new Event("pageshow")); // the form can be sent again: what is typed until then is a draft
    }
  });
  // The pressed button is also sent: it tells a wizard which step comes next.
  request.send(new FormData(form, submitter));
}

/** Shows the page of a record that was stored without some of its files, which only this answer tells. */
function showPage(page, address) {
  history.replaceState(null, "", address);
  document.title = page.title;
  document.body.replaceWith(show(page.body));
}

function redrawPart(page, id) {
  const part = page.getElementById(id);
  if (part) document.getElementById(id).replaceWith(show(part));
  else document.querySelector("main").replaceWith(show(page.querySelector("main")));
}

function show(part) {
  const adopted = document.adoptNode(part);
  queueMicrotask(() => drawn(adopted.parentNode));
  return adopted;
}

function actionOf(form) {
  return form.getAttribute("action");
}

function small(text) {
  return make("span", { className: "small muted" }, text);
}

function size(bytes) {
  const words = (unit, value) =>
    new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
  return bytes < 1e6 ? words("kilobyte", Math.ceil(bytes / 1e3)) : words("megabyte", bytes / 1e6);
}
