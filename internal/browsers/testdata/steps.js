// This script sends requests in every way that a script can. Each function of ways
// returns the result that the script sees. If the script can read the response, the
// result is like {seen: "200", headers: ["content-type: text/plain"], body: "ok"}.
"use strict";

const patience = 30_000; // milliseconds; only a browser that hangs needs all of it

async function runAll(steps) {
  const seen = [];
  for (const step of steps) {
    const late = new Promise((resolve) => setTimeout(resolve, patience, {seen: "timeout"}));
    try {
      seen.push(await Promise.race([ways[step.via || "fetch"](step), late]));
    } catch (error) {
      seen.push({seen: "blocked"});
    }
  }
  return seen;
}

const ways = {
  async fetch(step) {
    const init = {method: step.method || "GET", headers: step.headers || {}, credentials: step.credentials, mode: step.mode || "cors"};
    if (step.body) {
      init.body = step.body;
    }
    if (step.stream) {
      init.body = new Blob([step.body]).stream();
      init.duplex = "half";
    }
    const response = await fetch(step.url, init);
    return {
      seen: response.type === "opaque" ? "opaque" : String(response.status),
      headers: [...response.headers].map(([name, value]) => `${name}: ${value}`),
      body: await response.text(),
    };
  },

  xhr(step) {
    return new Promise((resolve) => {
      const xhr = new XMLHttpRequest();
      xhr.open(step.method || "GET", step.url);
      xhr.withCredentials = step.credentials === "include";
      for (const [name, value] of Object.entries(step.headers || {})) {
        xhr.setRequestHeader(name, value);
      }
      if (step.upload) {
        xhr.upload.addEventListener("progress", () => {});
      }
      xhr.onload = () => resolve({
        seen: String(xhr.status),
        headers: xhr.getAllResponseHeaders().split("\r\n").filter(Boolean),
        body: xhr.responseText,
      });
      xhr.onerror = () => resolve({seen: "blocked"});
      xhr.send(step.body || null);
    });
  },

  websocket(step) {
    return new Promise((resolve) => {
      const socket = new WebSocket(step.url.replace(/^http/, "ws"));
      socket.onopen = () => {
        socket.close();
        resolve({seen: "open"});
      };
      socket.onerror = () => resolve({seen: "blocked"});
    });
  },

  eventsource(step) {
    return new Promise((resolve) => {
      const source = new EventSource(step.url, {withCredentials: step.credentials === "include"});
      source.onmessage = () => {
        source.close();
        resolve({seen: "message"});
      };
      source.onerror = () => {
        source.close();
        resolve({seen: "blocked"});
      };
    });
  },

  // form posts a form to the server, and shows the response in a frame.
  form(step) {
    return new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.name = "target";
      document.body.append(frame);
      const form = document.createElement("form");
      form.method = "POST";
      form.action = step.url;
      form.target = frame.name;
      form.innerHTML = `<input name="to" value="mallory">`;
      document.body.append(form);
      frame.onload = () => {
        if (frame.contentDocument?.URL === "about:blank") {
          return; // the document of another origin is null
        }
        form.remove();
        frame.remove();
        resolve({seen: "navigated"});
      };
      form.submit();
    });
  },

  script: (step) => element("script", {src: step.url}),
  module: (step) => element("script", {type: "module", crossOrigin: "anonymous", src: step.url}),
  stylesheet: (step) => element("link", {rel: "stylesheet", crossOrigin: "anonymous", href: step.url}),
  link: (step) => element("link", {rel: "stylesheet", href: step.url}),
  video: (step) => element("video", {preload: "auto", src: step.url}),
  frame: (step) => element("iframe", {src: step.url}),
  image: (step) => element("img", {src: step.url}),
  corsimage: (step) => element("img", {crossOrigin: step.credentials === "include" ? "use-credentials" : "anonymous", src: step.url}),
};

// element adds an element to the page and waits until it loads or fails.
function element(name, properties) {
  return new Promise((resolve) => {
    const e = Object.assign(document.createElement(name), properties);
    e.onload = e.onloadedmetadata = () => resolve({seen: "loaded"});
    e.onerror = () => resolve({seen: "blocked"});
    document.body.append(e);
  });
}
