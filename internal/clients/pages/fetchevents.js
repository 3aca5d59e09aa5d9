import {fetchEventSource} from "@microsoft/fetch-event-source";
import {EventSource} from "eventsource";
import {counter, receive} from "./numbers.js";
import {check} from "./run.js";

const headers = {Authorization: "Bearer sesame"};

const clients = {
  "eventsource": (url, count) => receive(new EventSource(url, {
    fetch: (input, init) => {
      // With "no-store", Chromium and Firefox send a preflight every time.
      check(init.cache === "no-store", init.cache);
      return fetch(input, {...init, cache: "default", headers: {...init.headers, ...headers}});
    },
  }), count),

  "fetch-event-source": async (url, count) => {
    const numbers = counter(count);
    const enough = new AbortController();
    await fetchEventSource(url, {
      headers,
      signal: enough.signal,
      openWhenHidden: true,
      onmessage: ({data}) => {
        if (data && numbers.message(data)) {
          enough.abort();
        }
      },
      onclose: () => { throw new Error("closed"); }, // otherwise it does not reconnect
      onerror: (error) => numbers.error(error), // otherwise it reconnects forever
    });
  },
};

export const steps = Object.entries(clients).flatMap(([name, events]) => [
  [`${name}: events`, (api) => events(`${api}/events`, 2)],
  [`${name}: events after a reconnection`, (api) => events(`${api}/events`, 4)],
]);

export const call = (api, i) => clients[i < 10 ? "eventsource" : "fetch-event-source"](`${api}/events`, i % 2 ? 2 : 4);
