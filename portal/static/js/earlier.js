// Loads earlier comments into the conversation in place, and scrolls to one that is named in the address.
import { attach, drawn, parsePage } from "./attach.js";

attach("a[data-earlier]", (link) => {
  const address = new URL(link.href);
  const named = /^#comment-([1-9]\d*)$/.exec(location.hash)?.[1];
  const isFirstPage = !new URLSearchParams(location.search).has("before");
  if (named && isFirstPage && Number(named) < Number(address.searchParams.get("before"))) {
    address.searchParams.set("before", Number(named) + 1);
    location.replace(address.href + location.hash);
  }
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // to another tab
    event.preventDefault();
    if (link.hasAttribute("aria-busy")) return; // pressed twice: the comments would appear twice
    link.setAttribute("aria-busy", "true");
    const answer = await fetch(link.href, { redirect: "error" }).catch(() => null);
    if (!answer?.ok) return location.assign(link.href);
    const page = parsePage(await answer.text());
    const notes = [...page.querySelectorAll(".thread > .note")];
    const next = page.querySelector("a[data-earlier]");
    const thread = link.closest("section").querySelector(".thread");
    const isAbove = Boolean(link.compareDocumentPosition(thread) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (isAbove) thread.prepend(...notes);
    else thread.append(...notes);
    const nearest = notes.at(isAbove ? -1 : 0); // none if all have been withdrawn
    if (nearest) {
      nearest.tabIndex = -1;
      nearest.focus({ preventScroll: isAbove });
    }
    drawn(thread);
    link.removeAttribute("aria-busy");
    if (next) link.href = next.href;
    else link.parentElement.remove();
  });
});
