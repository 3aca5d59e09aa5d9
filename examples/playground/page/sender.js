// This script of a page on another origin sends requests for the app, and reports what it can read.
import { send } from "/send.js";

const app = document.querySelector("meta[name=app]").content;

addEventListener("message", async (event) => {
  if (event.origin !== app || event.source !== parent) return;
  const { id, request } = event.data;
  parent.postMessage({ id, seen: await send(request) }, app);
});
parent.postMessage({ ready: true }, app);
