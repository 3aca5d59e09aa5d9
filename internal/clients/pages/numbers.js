// What the pages of server-sent events have in common: events with the numbers
// 1, 2, 3 … as data, and a connection that is cut from time to time.

import {check} from "./run.js";

// A counter takes in numbers up to count, each once and in their order.
export const counter = (count) => {
  let last = 0, errors = 0;
  return {
    // message reports whether data was the last number.
    message(data) {
      errors = 0;
      last++;
      check(data === `${last}`, `${data} instead of ${last}`);
      return last === count;
    },
    // error throws unless one is to be expected: where a connection has ended.
    error(what) {
      errors++;
      check(last > 0 && errors === 1, what);
    },
  };
};

// receive counts what source, an EventSource, gets.
export const receive = (source, count) => new Promise((resolve, reject) => {
  const numbers = counter(count);
  const attempt = (act) => {
    try {
      act();
    } catch (error) {
      source.close();
      reject(error);
    }
  };
  source.onmessage = ({data}) => attempt(() => {
    if (numbers.message(data)) {
      source.close();
      resolve();
    }
  });
  source.onerror = ({message}) => attempt(() => numbers.error(`${message ?? "an error"}`));
});
