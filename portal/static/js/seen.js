// Marks a record as seen once its page has been visible for a moment: pages may be fetched without anyone looking.
import { attach } from "./attach.js";

const A_MOMENT = 1500; // milliseconds

attach("body:not(.previewing) form[data-seen]", (form) => {
  let timer;
  const wait = () => {
    clearTimeout(timer);
    if (document.visibilityState === "visible" && !document.prerendering) timer = setTimeout(send, A_MOMENT);
  };
  const send = async () => {
    for (const event of ["visibilitychange", "prerenderingchange"]) document.removeEventListener(event, wait);
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true }).catch(() => null);
    if (answer?.type === "opaqueredirect") form.remove();
  };
  for (const event of ["visibilitychange", "prerenderingchange"]) document.addEventListener(event, wait);
  wait();
});
