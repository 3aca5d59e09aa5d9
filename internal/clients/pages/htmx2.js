import htmx from "htmx2";
import {page} from "./fragments.js";
import {check} from "./run.js";

htmx.config.defaultSettleDelay = 0; // do all work before the request ends
window.prompt = () => "yes";

const {send, steps: common, call} = page({
  allow: (others) => { htmx.config.selfRequestsOnly = !others; },
  process: (element) => htmx.process(element),
  ended: () => new Promise((resolve) => {
    document.addEventListener("htmx:afterRequest", ({detail: {xhr}}) => resolve(xhr.status ? "" : "no response"), {once: true});
    document.addEventListener("htmx:invalidPath", () => resolve("not sent"), {once: true});
  }),
  locate: (other) => { htmx.location = other; },
  triggers: ["HX-Trigger", "HX-Trigger-After-Swap", "HX-Trigger-After-Settle"],
  sendWithCookies: async (send) => {
    htmx.config.withCredentials = true;
    try {
      return await send();
    } finally {
      htmx.config.withCredentials = false;
    }
  },
  refuse: (url) => document.addEventListener("htmx:validateUrl", (event) => {
    if (event.detail.url.href.startsWith(url)) {
      event.preventDefault();
    }
  }, {once: true}),
});

const steps = [
  ...common,
  ["prompt", async (api) => {
    const got = await send(api, "get", "/fragment", {more: `hx-prompt="Sure?"`});
    check(got === "GET done", got);
  }],
];

export {steps, call};
