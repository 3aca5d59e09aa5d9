import {check} from "./run.js";

let count = 0;

// arrives sends a new event, and checks that it reaches the server.
const arrives = async (api, send) => {
  const event = JSON.stringify({event: `${location.host} ${count++} ${Math.random()}`});
  await send(`${api}/events`, event);
  const response = await fetch(`${api}/arrived?event=${encodeURIComponent(event)}`);
  check(await response.text() === "yes", "the event did not arrive");
};

const beacon = (url, body) => check(navigator.sendBeacon(url, body), "sendBeacon returned false");
const json = (event) => new Blob([event], {type: "application/json"});

export const steps = [
  ["beacon with text", (api) => arrives(api, (url, event) => beacon(url, event))],
  ["beacon with JSON", (api) => arrives(api, (url, event) => beacon(url, json(event)))],
  ["fetch with keepalive", (api) => arrives(api, (url, event) => fetch(url, {method: "POST", body: json(event), keepalive: true}))],
];

export const call = (api, i) => steps[i % 2][1](api); // text or JSON
