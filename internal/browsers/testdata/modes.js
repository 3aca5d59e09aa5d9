// This script sends requests without CORS in every way that a page can. Each
// function returns a promise of the result that the page sees, or leaves the page.
"use strict";

const never = new Promise(() => {});

// form submits a form with one field.
function form(action, {method = "POST", enctype = "", frame = false, name = "a", value = "b"} = {}) {
  const f = document.createElement("form");
  Object.assign(f, {action, method, enctype});
  f.append(Object.assign(document.createElement("input"), {name, value}));
  document.body.append(f);
  return navigate(frame, (target) => {
    f.target = target;
    f.submit();
  });
}

function link(href, {frame = false, rel = ""} = {}) {
  const a = Object.assign(document.createElement("a"), {href, rel});
  document.body.append(a);
  return navigate(frame, (target) => {
    a.target = target;
    a.click();
  });
}

function refresh(url) {
  const meta = Object.assign(document.createElement("meta"), {httpEquiv: "refresh", content: `0; url=${url}`});
  document.head.append(meta);
  return never;
}

// navigate calls go with the name of a target, which is a frame or the page itself.
function navigate(inFrame, go) {
  if (!inFrame) {
    go("_self");
    return never;
  }
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.name = "frame";
    document.body.append(frame);
    frame.onload = () => {
      if (frame.contentDocument?.URL !== "about:blank") { // the document of another origin is null
        resolve("navigated");
      }
    };
    go(frame.name);
  });
}

function iframe(src) {
  return element("iframe", {src});
}

function element(name, properties) {
  return new Promise((resolve) => {
    const e = document.createElement(name);
    e.onload = () => resolve("loaded");
    e.onerror = () => resolve("error");
    Object.assign(e, properties);
    document.body.append(e);
  });
}

async function request(url, init) {
  try {
    const response = await fetch(url, {mode: "no-cors", ...init});
    return `${response.type} ${response.status} ${await response.text()}`.trim();
  } catch {
    return "blocked";
  }
}

// beacon sends a beacon. The page gets no response, so it waits until the server
// got the beacon.
async function beacon(url, data, arrived) {
  if (!navigator.sendBeacon(url, data)) {
    return "blocked";
  }
  await fetch(arrived);
  return "sent";
}

function socket(url, protocols = []) {
  return new Promise((resolve) => {
    const s = new WebSocket(url.replace(/^http/, "ws"), protocols);
    s.onopen = () => {
      resolve("open");
      s.close();
    };
    s.onerror = () => resolve("blocked");
  });
}

// sandboxed runs a script in a frame whose origin is null.
function sandboxed(script) {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts allow-forms";
    frame.srcdoc = `<!doctype html><body><script src="${location.origin}/modes.js"><\/script><script>
      ${script}.then((saw) => parent.postMessage(saw, "*"));
    <\/script>`;
    addEventListener("message", (event) => resolve(event.data), {once: true});
    document.body.append(frame);
  });
}

// run runs a case and reports the result that the page saw. Then it opens the page
// of the next case.
async function run(action, report, next) {
  const late = new Promise((resolve) => setTimeout(resolve, 30_000, "timeout"));
  const saw = await Promise.race([action(), late]);
  await fetch(report, {method: "POST", body: saw});
  location.replace(next);
}
