// “Return to list” leads to the list last seen in this tab, whatever other tabs show.
import { attach } from "./attach.js";

const PREFIX = "list:";

attach("form[data-list]", (form) => {
  const keep = () => sessionStorage.setItem(PREFIX + location.pathname, location.search);
  keep();
  addEventListener("pagehide", keep); // its search and filters change in place
});

attach("a[data-return-to-list]", (link) => {
  const query = sessionStorage.getItem(PREFIX + link.pathname);
  if (query !== null) link.search = query;
});
