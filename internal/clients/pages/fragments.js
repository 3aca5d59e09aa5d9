// What the pages of the two versions of htmx have in common.

import {check} from "./run.js";

const text = (id) => document.getElementById(id).textContent.replace(/ +/g, " ");

// page returns what such a page exports. Of a version it needs: what lets it ask
// other origins, and keeps it from that; its process; a promise of the next
// request's end, with the error; what has it take something else for the page's
// location; the headers that it triggers events for; what sends cookies, in a use
// of send; and what listens until a request for a URL is refused.
export function page({allow, process, ended, locate, triggers, sendWithCookies, refuse}) {
  // send submits a form by htmx, and returns what then is in its target.
  async function send(api, method, path, {allowed = true, more = ""} = {}) {
    allow(allowed);
    document.body.innerHTML = `
      <form id="form" name="form" hx-${method}="${api}${path}" hx-target="#here" ${more}><input name="name" value="you"></form>
      <div id="here">nothing</div>
      <div id="there">nothing</div>`;
    const form = document.getElementById("form");
    process(form);
    const end = ended();
    form.requestSubmit();
    const error = await end;
    check(!error, error);
    return text("here");
  }

  // ask sends what the server answers with a header of that value.
  const ask = (api, header, value) => send(api, "get", `/fragment?${new URLSearchParams({[header]: value})}`);

  const plainly = (method, want) => [method, async (api) => {
    const got = await send(api, method, "/fragment");
    check(got === want, got);
  }];

  // nothing checks that no fragment comes of act.
  async function nothing(act) {
    const got = await act().catch(() => "nothing");
    check(got === "nothing", got);
  }

  const steps = [
    plainly("get", "GET done"),
    plainly("post", "POST you done"),
    plainly("put", "PUT you done"),
    plainly("patch", "PATCH you done"),
    plainly("delete", "DELETE done"),
    ...triggers.map((header) => [`trigger an event with ${header}`, async (api) => {
      let seen = false;
      document.addEventListener("saved", () => { seen = true; }, {once: true});
      await ask(api, header, "saved");
      check(seen, "no event");
    }]),
    ["load another fragment", async (api) => {
      const got = await ask(api, "HX-Location", JSON.stringify({path: `${api}/fragment`, target: "#there"}));
      check(got === "nothing", got);
      await ended();
      check(text("there") === "GET done", text("there"));
    }],
    ["redirect the page", async (api) => {
      await ask(api, "HX-Redirect", "#redirected");
      check(location.hash === "#redirected", location.href);
    }],
    ["reload the page", async (api) => {
      let reloaded = false;
      locate({reload: () => { reloaded = true; }});
      await ask(api, "HX-Refresh", "true");
      locate(location);
      check(reloaded, "not reloaded");
    }],
    ["push a URL", async (api) => {
      await ask(api, "HX-Push-Url", "/pushed");
      check(location.pathname === "/pushed", location.href);
    }],
    ["replace the URL", async (api) => {
      await ask(api, "HX-Replace-Url", "/replaced");
      check(location.pathname === "/replaced", location.href);
    }],
    ["choose the target", async (api) => {
      await ask(api, "HX-Retarget", "#there");
      check(text("there") === "GET done", text("there"));
    }],
    ["choose how to swap", async (api) => {
      const got = await ask(api, "HX-Reswap", "beforeend");
      check(got === "nothingGET done", got);
    }],
    ["choose a part", async (api) => {
      const got = await ask(api, "HX-Reselect", "b");
      check(got === "done", got);
    }],
    ["nothing across origins by default", (api) => nothing(() => send(api, "get", "/fragment", {allowed: false}))],
    ["nothing with cookies", (api) => nothing(() => sendWithCookies((options) => send(api, "get", "/fragment", options)))],
    ["nothing that a listener refuses", (api) => {
      refuse(`${api}/fragment`);
      return nothing(() => send(api, "get", "/fragment"));
    }],
    ["load a fragment from the page's origin", async (api) => {
      await ask(api, "HX-Location", JSON.stringify({path: "/fragment", target: "#there"}));
      await ended();
      check(text("there") !== "GET done", text("there"));
    }],
  ];

  const twenty = [
    ["get", "/list"], ["post", "/list"], ["put", "/list/1"], ["patch", "/list/1"], ["delete", "/list/1"], ["get", "/list/1"],
  ];
  const call = async (api, i) => {
    const [method, path] = twenty[i % twenty.length];
    const got = await send(api, method, path);
    check(got.startsWith(method.toUpperCase()), got);
  };

  return {send, steps, call};
}
