import {check} from "./run.js";

const request = async (url, method, task, token = "sesame") => {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token && {Authorization: `Bearer ${token}`}),
      ...(task && {"Content-Type": "application/json"}),
    },
    body: task && JSON.stringify(task),
  });
  return {status: response.status, data: await response.json()};
};

const actions = {
  "list": async (api) => {
    const {data} = await request(`${api}/tasks`, "GET");
    check(typeof data === "object", data);
  },
  "add": async (api) => {
    const {data} = await request(`${api}/tasks/1`, "POST", "sow");
    check(data["1"] === "sow", JSON.stringify(data));
  },
  "replace": async (api) => {
    const {data} = await request(`${api}/tasks/1`, "PUT", "reap");
    check(data["1"] === "reap", JSON.stringify(data));
  },
  "change": async (api) => {
    const {data} = await request(`${api}/tasks/1`, "PATCH", "rest");
    check(data["1"] === "rest", JSON.stringify(data));
  },
  "remove": async (api) => {
    const {data} = await request(`${api}/tasks/1`, "DELETE");
    check(!("1" in data), JSON.stringify(data));
  },
};

export const steps = [
  ...Object.entries(actions),
  ["read an error", async (api) => {
    const {status, data} = await request(`${api}/tasks`, "GET", undefined, null);
    check(status === 401 && data.error === "no token", status);
  }],
];

export const call = (api, i) => Object.values(actions)[i % 5](api);
