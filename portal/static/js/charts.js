// Draws charts over many records once the home page has loaded; without the script, a link leads to each.
import { attach, parsePage } from "./attach.js";

attach("a[data-chart-later]", async (link) => {
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = parsePage(await answer.text());
  const chart = page.querySelector("[data-chart]");
  if (chart) link.replaceWith(document.adoptNode(chart));
});
