// In a page of another origin: sends what the app asks it to, and tells it what came of that.
import { send } from "/send.js";

const app = document.querySelector("meta[name=app]").content;

addEventListener("message", async (event) => {
  if (event.origin !== app || event.source !== parent) return;
  const { id, request } = event.data;
  parent.postMessage({ id, seen: await send(request) }, app);
});
parent.postMessage({ ready: true }, app);
