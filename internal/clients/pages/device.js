import {check} from "./run.js";

const put = async (api) => {
  const response = await fetch(`${api}/volume`, {method: "PUT", body: "11"});
  check(await response.text() === "11", response.status);
};

export const steps = [
  ["put", put],
  ["put nothing", async (api) => {
    const response = await fetch(`${api}/volume`, {method: "PUT"});
    check(response.status === 204, response.status);
  }],
];

export const call = put;
