import axios from "axios";
import {check} from "./run.js";

const newClient = (api, options) => axios.create({
  baseURL: api,
  withCredentials: true,
  withXSRFToken: ({method}) => method !== "get",
  ...options,
});

const json = {headers: {"Content-Type": "application/json"}}; // otherwise, axios sends a string as a form

const actions = {
  "log in": async (client) => {
    const {data} = await client.post("/session", {name: "you"});
    check(data === "welcome", data);
  },
  "list": async (client) => {
    const {data} = await client.get("/tasks");
    check(typeof data === "object", data);
  },
  "add": async (client) => {
    const {data} = await client.post("/tasks/1", "sow", json);
    check(data["1"] === "sow", JSON.stringify(data));
  },
  "replace": async (client) => {
    const {data} = await client.put("/tasks/1", "reap", json);
    check(data["1"] === "reap", JSON.stringify(data));
  },
  "change": async (client) => {
    const {data} = await client.patch("/tasks/1", "rest", json);
    check(data["1"] === "rest", JSON.stringify(data));
  },
  "remove": async (client) => {
    const {data} = await client.delete("/tasks/1");
    check(!("1" in data), JSON.stringify(data));
  },
  "read with a token": async (client) => {
    const {data} = await client.get("/profile", {withXSRFToken: true});
    check(data === "you", data);
  },
};

export const steps = [
  ...Object.entries(actions).map(([name, act]) => [name, (api) => act(newClient(api))]),
  ["send no token to another origin by default", async (api) => {
    const {response} = await actions["add"](newClient(api, {withXSRFToken: undefined})).catch((error) => error);
    check(response?.status === 403 && response.data === "forged\n", response?.status);
  }],
  ["accept no token that another host of the site set", async (api) => {
    document.cookie = `XSRF-TOKEN=another; path=/; domain=${location.hostname.replace("app.", "")}`;
    const {response} = await actions["add"](newClient(api)).catch((error) => error);
    check(response?.status === 403 && response.data === "forged\n", response?.status);
  }],
];

export const call = (api, i) => {
  const rest = Object.values(actions).slice(1);
  return (i === 0 ? actions["log in"] : rest[i % rest.length])(newClient(api));
};
