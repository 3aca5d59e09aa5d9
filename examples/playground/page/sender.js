// This script runs in a page on another origin. It sends requests for the app, and reports the responses that it can read.
import { send } from "/send.js";

const app = document.querySelector("meta[name=app]").content;

addEventListener("message", async (event) => {
  if (event.origin !== app || event.source !== parent) return;
  const { id, request } = event.data;
  parent.postMessage({ id, seen: await send(request) }, app);
});
parent.postMessage({ ready: true }, app);
