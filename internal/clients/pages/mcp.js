import {Client} from "@modelcontextprotocol/sdk/client/index.js";
import {StreamableHTTPClientTransport} from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {ProgressNotificationSchema} from "@modelcontextprotocol/sdk/types.js";
import {check} from "./run.js";

let client, transport;

// broken rejects when the transport fails. The client would otherwise wait until
// its timeout.
let broken;

async function initialize(api, path = "/mcp", authProvider = undefined) {
  transport = new StreamableHTTPClientTransport(new URL(path, api), {
    authProvider,
    reconnectionOptions: {initialReconnectionDelay: 10, maxReconnectionDelay: 10, reconnectionDelayGrowFactor: 1, maxRetries: 1},
  });
  client = new Client({name: "page", version: "1"});
  broken = new Promise((_, reject) => { client.onerror = reject; });
  broken.catch(() => {});
  await client.connect(transport);
  check(client.getServerVersion().name === "greeter", client.getServerVersion().name);
}

// initializeWithToken has the client replace an expired token.
async function initializeWithToken(api) {
  let tokens = {access_token: "stale", refresh_token: "refresh", token_type: "Bearer"};
  await initialize(api, "/private/mcp", {
    redirectUrl: location.href,
    clientMetadata: {redirect_uris: [location.href]},
    clientInformation: () => ({client_id: "page"}),
    tokens: () => tokens,
    saveTokens: (fresh) => { tokens = fresh; },
    saveCodeVerifier: () => {},
    redirectToAuthorization: () => {},
  });
  await callTool("greet");
  await end();
}

async function callTool(name) {
  const {content: [{text}]} = await Promise.race([client.callTool({name, arguments: {name: "you"}}), broken]);
  check(text === "hello you", text);
}

// listen waits for a message on the stream that the client opened with GET.
async function listen() {
  const message = new Promise((resolve) => {
    client.setNotificationHandler(ProgressNotificationSchema, ({params}) => resolve(params.message));
  });
  await callTool("announce");
  const text = await Promise.race([message, broken]);
  check(text === "by the way", text);
}

async function end() {
  check(transport.sessionId, "no session");
  await transport.terminateSession();
  check(!transport.sessionId, "the session did not end");
  await client.close(); // otherwise it would reopen the stream
}

export const steps = [
  ["initialize", (api) => initialize(api)],
  ["call a tool", () => callTool("greet")],
  ["listen to the server", listen],
  ["resume a stream", () => callTool("greet late")],
  ["end the session", end],
  ["initialize with a token", initializeWithToken],
];

export const call = async (api, i) => {
  if (i === 0) {
    await initialize(api);
  } else if (i < 19) {
    await callTool(i % 5 === 0 ? "greet late" : "greet");
  } else {
    await end();
  }
};
