// Chosen records of a list: how many, all on the page, none. Without this script, the checkboxes work alone.
import { attach } from "./attach.js";

attach("form[data-chosen]", (form) => {
  const boxes = () => [...form.elements].filter((box) => box.name === "ids");
  const everyone = () => document.querySelector("[data-choose-all]");

  const count = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    form.querySelector("[data-chosen-count]").textContent = chosen;
    const all = everyone();
    if (!all) return;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  };
  const choose = (checked) => {
    for (const box of boxes()) box.checked = checked;
    count();
  };

  const table = form.closest("[data-records]");
  const changed = (event) => {
    if (!form.isConnected) table.removeEventListener("change", changed);
    else if (event.target === everyone()) choose(event.target.checked);
    else if (event.target.name === "ids") count();
  };
  table.addEventListener("change", changed);
  // A file is downloaded and the page stays: the form may be sent again.
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value === "export") setTimeout(() => dispatchEvent(new Event("pageshow")));
  });
  form.querySelector("[data-choose-none]").addEventListener("click", () => {
    form.elements.all.checked = false;
    choose(false);
  });
  addEventListener("pageshow", () => form.isConnected && count()); // Back ticks them again when scripts have already run
  count();
});
