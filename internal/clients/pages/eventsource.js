import {receive} from "./numbers.js";
import {check} from "./run.js";

async function login(api) {
  const {status} = await fetch(`${api}/session`, {method: "POST", credentials: "include"});
  check(status === 200, status);
}

const events = (api, count, path = "/events") => receive(new EventSource(api + path, {withCredentials: true}), count);

export const steps = [
  ["events without a cookie", (api) => events(api, 2, "/public")],
  ["log in", login],
  ["events", (api) => events(api, 2)],
  ["events after a reconnection", (api) => events(api, 4)],
];

export const call = (api, i) => i === 0 ? login(api) : events(api, i % 2 ? 2 : 4);
