// The steps for both versions of htmx.

import {check} from "./run.js";

const text = (id) => document.getElementById(id).textContent.replace(/ +/g, " ");

// page returns the exports of a page. It needs these parts of an htmx version:
//   - allow(others) allows requests to other origins, or only to the page's;
//   - process(element) is htmx.process;
//   - ended() returns a promise of the error of the next request, or of "";
//   - locate(other) replaces the location that htmx uses;
//   - triggers are the response headers that trigger events;
//   - sendWithCookies(send) calls send so that cookies are sent;
//   - refuse(url) cancels the next request for a URL.
export function page({allow, process, ended, locate, triggers, sendWithCookies, refuse}) {
  // send submits a form with htmx, and returns the content of its target.
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

  // ask sends a request whose response has the header.
  const ask = (api, header, value) => send(api, "get", `/fragment?${new URLSearchParams({[header]: value})}`);

  const plainly = (method, want) => [method, async (api) => {
    const got = await send(api, method, "/fragment");
    check(got === want, got);
  }];

  // nothing checks that act loads no fragment.
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
    ["load nothing from another origin by default", (api) => nothing(() => send(api, "get", "/fragment", {allowed: false}))],
    ["load nothing with cookies", (api) => nothing(() => sendWithCookies((options) => send(api, "get", "/fragment", options)))],
    ["load nothing that a listener cancels", (api) => {
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
