// Rich text: a small toolbar over an editable copy of the textarea. The textarea is sent, and the server sanitizes it.
import { attach, make, parsePage } from "./attach.js";

// What portal/fields/markup.py lets through: anything else is lost as soon as someone types.
const TAGS = new Set(
  ("A ABBR B BLOCKQUOTE BR CAPTION CITE CODE DD DEL DIV DL DT EM H1 H2 H3 H4 H5 H6 HR I IMG INS KBD LI MARK OL P PRE Q S " +
    "SMALL SPAN STRONG SUB SUP TABLE TBODY TD TFOOT TH THEAD TR U UL").split(" "),
);
const ATTRIBUTES = new Map(["title", "alt", "width", "height", "start", "colspan", "rowspan", "scope"].map((name) => [name, /^/]));
ATTRIBUTES.set("href", /^(https?:|mailto:|tel:|[^:]*$|[^:]*[/?#])/i);
ATTRIBUTES.set("src", /^\/(?![/\\])[^\x00-\x20\\?#]*(\/files\/\d+(\/preview)?|\.(png|jpe?g|gif|webp))$/i);
const TOOLS = [["bold", "bold"], ["italic", "italic"], ["list", "insertUnorderedList"], ["link"]];

attach("[data-editor]", (box) => {
  const textarea = box.querySelector("textarea");
  const label = document.querySelector(`label[for="${textarea.id}"]`);
  const editable = make("div", { className: "editable rich", contentEditable: "true" });
  editable.setAttribute("role", "textbox");
  editable.setAttribute("aria-multiline", "true");
  editable.setAttribute("aria-label", label?.textContent.trim() ?? "");
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (textarea.hasAttribute(name)) editable.setAttribute(name, textarea.getAttribute(name));
  }
  let drawn;
  const show = () => {
    if (textarea.value !== drawn) editable.replaceChildren(...safe((drawn = textarea.value)));
  };
  show();
  textarea.addEventListener("followed", show);
  addEventListener("pageshow", show); // after Back, browsers fill in what was typed when scripts have already run
  textarea.hidden = true;
  label?.addEventListener("click", () => editable.focus());
  const keep = () => {
    drawn = textarea.value = editable.textContent.trim() || editable.querySelector("img") ? editable.innerHTML : "";
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
  };
  editable.addEventListener("input", keep);
  editable.addEventListener("paste", (event) => {
    event.preventDefault();
    document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
  });
  box.prepend(toolbar(box, editable, keep), editable);
});

function toolbar(box, editable, keep) {
  const bar = make("div", { className: "toolbar" });
  bar.setAttribute("role", "toolbar");
  for (const [icon, command] of TOOLS) {
    const button = make("button", { type: "button", className: "button quiet icon-only", title: box.dataset[icon] });
    button.setAttribute("aria-label", box.dataset[icon]);
    button.append(drawing(`${box.dataset.icons}#${icon}`));
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      editable.focus();
      if (command) document.execCommand(command);
      else link(prompt(box.dataset.address, "https://"));
      keep();
    });
    bar.append(button);
  }
  return bar;
}

function link(href) {
  if (!/^(https?:|mailto:)/i.test(href)) return;
  // Firefox makes no link without a selection.
  if (getSelection().isCollapsed) document.execCommand("insertHTML", false, make("a", { href }, href).outerHTML);
  else document.execCommand("createLink", false, href);
}

function drawing(address) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", address);
  svg.append(use);
  return svg;
}

// After an error, the text comes back as sent, not yet sanitized: what the server would remove is not drawn.
function safe(html) {
  const page = parsePage(html);
  for (const element of page.body.querySelectorAll("*")) {
    if (["SCRIPT", "STYLE"].includes(element.tagName)) element.remove();
    else if (!TAGS.has(element.tagName)) element.replaceWith(...element.childNodes);
    for (const { name, value } of [...element.attributes]) {
      if (!ATTRIBUTES.get(name)?.test(value)) element.removeAttribute(name);
    }
  }
  return page.body.childNodes;
}
