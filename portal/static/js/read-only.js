// In a preview, everything that is sent is refused: disables the controls that would send, so that nobody types in vain.
import { attach } from "./attach.js";

attach(".previewing .main form[method=post]:not([action='/logout'])", (form) => {
  for (const control of form.elements) control.disabled = true;
});
