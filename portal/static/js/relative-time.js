// Shows how long ago something was, with the exact time in the title. After a week, the date stays.
import { attach } from "./attach.js";

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const WEEK = 7 * 86400;

attach("time[data-relative]", (time) => {
  const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
  if (Number.isNaN(seconds) || Math.abs(seconds) > WEEK) return;
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto", style: "short" });
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", Infinity];
  time.title = time.textContent.trim();
  time.textContent = words.format(Math.round(seconds / size), unit); // less than a minute: “now”
});
