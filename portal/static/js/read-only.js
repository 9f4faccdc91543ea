// In a preview, everything that is sent is refused: disables the controls that would send, so that nobody types in vain.
import { attach, controls } from "./attach.js";

attach(".previewing .main form[method=post]:not([action='/logout'])", (form) => {
  for (const control of controls(form)) control.disabled = true;
});
