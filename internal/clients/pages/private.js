import {check} from "./run.js";

const actions = {
  "read": async (api) => {
    const response = await fetch(`${api}/lamp`);
    check(Number.isInteger(await response.json()), response.status);
  },
  "replace": async (api) => {
    const response = await fetch(`${api}/lamp`, {method: "PUT", headers: {"Content-Type": "application/json"}, body: "7"});
    check(await response.json() === 7, response.status);
  },
};

export const steps = [...Object.entries(actions)];

export const call = (api, i) => Object.values(actions)[i % 2](api);
