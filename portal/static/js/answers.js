// Canned answers: inserts the chosen one into the comment at the caret, without sending the form.
import { attach } from "./attach.js";

attach("[data-answers]", (box) => {
  const select = box.querySelector("select");
  const text = box.closest("form").querySelector("textarea");
  box.querySelector("button").addEventListener("click", async (event) => {
    event.preventDefault();
    if (!select.value) return;
    const answer = await fetch(`${box.dataset.answers}?id=${encodeURIComponent(select.value)}`);
    if (!answer.ok) return;
    const before = text.value.slice(0, text.selectionStart);
    text.setRangeText(`${before && !before.endsWith("\n") ? "\n" : ""}${(await answer.json()).text}`, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input", { bubbles: true }));
    select.value = "";
    text.focus();
  });
});
