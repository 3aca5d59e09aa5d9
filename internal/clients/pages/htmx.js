import htmx from "htmx.org";
import {check} from "./run.js";

// ended returns a promise of how the next request of htmx ends.
const ended = () => new Promise((resolve) => {
  document.addEventListener("htmx:finally:request", ({detail}) => resolve(detail.ctx.status), {once: true});
});

const text = (id) => document.getElementById(id).textContent.replace(/ +/g, " ");

// send submits a form by htmx, and returns what then is in its target.
async function send(api, method, path, mode = "cors") {
  htmx.config.mode = mode;
  document.body.innerHTML = `
    <form hx-${method}="${api}${path}" hx-target="#here"><input name="name" value="you"></form>
    <div id="here">nothing</div>
    <div id="there">nothing</div>`;
  const form = document.querySelector("form");
  htmx.process(form);
  const end = ended();
  form.requestSubmit();
  const status = await end;
  check(!status.startsWith("error"), status);
  return text("here");
}

// ask sends what the server answers with a header of that value.
const ask = (api, header, value) => send(api, "get", `/fragment?${new URLSearchParams({[header]: value})}`);

const plainly = (method, want) => [method, async (api) => {
  const got = await send(api, method, "/fragment");
  check(got === want, got);
}];

export const steps = [
  plainly("get", "GET done"),
  plainly("post", "POST you done"),
  plainly("put", "PUT you done"),
  plainly("patch", "PATCH you done"),
  plainly("delete", "DELETE done"),
  ["trigger an event", async (api) => {
    let seen = false;
    document.addEventListener("saved", () => { seen = true; }, {once: true});
    await ask(api, "HX-Trigger", "saved");
    check(seen, "no event");
  }],
  ["go on to another fragment", async (api) => {
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
    htmx._loc = {reload: () => { reloaded = true; }};
    await ask(api, "HX-Refresh", "true");
    htmx._loc = location;
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
  ["nothing across origins by default", async (api) => {
    try {
      await send(api, "get", "/fragment", "same-origin");
    } catch {
      return;
    }
    throw new Error("a fragment");
  }],
];

export const call = async (api, i) => {
  const [method, path] = [
    ["get", "/list"], ["post", "/list"], ["put", "/list/1"], ["patch", "/list/1"], ["delete", "/list/1"], ["get", "/list/1"],
  ][i % 6];
  const got = await send(api, method, path);
  check(got.startsWith(method.toUpperCase()), got);
};
