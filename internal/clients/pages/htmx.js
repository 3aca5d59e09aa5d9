import htmx from "htmx.org";
import {page} from "./fragments.js";

export const {steps, call} = page({
  allow: (others) => { htmx.config.mode = others ? "cors" : "same-origin"; },
  process: (element) => htmx.process(element),
  ended: () => new Promise((resolve) => {
    document.addEventListener("htmx:finally:request", ({detail: {ctx: {status}}}) => {
      resolve(status.startsWith("error") ? status : "");
    }, {once: true});
  }),
  locate: (other) => { htmx._loc = other; },
  triggers: ["HX-Trigger"],
  sendWithCookies: (send) => send({more: `hx-config="credentials:include"`}),
  refuse: (url) => document.addEventListener("htmx:before:request", (event) => {
    if (event.detail.ctx.request.action.startsWith(url)) {
      event.preventDefault();
    }
  }, {once: true}),
});
