// Functions for the pages of server-sent events. The events have the numbers
// 1, 2, 3 … as data, and the server closes the connection from time to time.

import {check} from "./run.js";

// A counter checks that the numbers up to count arrive once and in order.
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
    // error throws, unless it is the one error after the end of a connection.
    error(what) {
      errors++;
      check(last > 0 && errors === 1, what);
    },
  };
};

// receive counts the events of source, an EventSource.
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
