import {create, createFileRegistry} from "@bufbuild/protobuf";
import {FileDescriptorProtoSchema, MethodOptions_IdempotencyLevel, StringValueSchema, file_google_protobuf_wrappers} from "@bufbuild/protobuf/wkt";
import {Code, ConnectError, createClient} from "@connectrpc/connect";
import {createConnectTransport, createGrpcWebTransport} from "@connectrpc/connect-web";
import {check} from "./run.js";

// The code that protoc-gen-es would generate for the .proto file of the service.
const method = (name, more) => ({name, inputType: ".google.protobuf.StringValue", outputType: ".google.protobuf.StringValue", ...more});
const registry = createFileRegistry(create(FileDescriptorProtoSchema, {
  name: "greet.proto",
  package: "greet.v1",
  syntax: "proto3",
  dependency: ["google/protobuf/wrappers.proto"],
  service: [{
    name: "GreetService",
    method: [
      method("Greet"),
      method("Read", {options: {idempotencyLevel: MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS}}),
      method("Count", {serverStreaming: true}),
      method("Fail"),
      method("Refuse"),
      method("FailLate", {serverStreaming: true}),
      method("Deadline"),
      method("Wait"),
    ],
  }],
}), () => file_google_protobuf_wrappers);
const service = registry.getService("greet.v1.GreetService");

const clients = {
  "Connect": (baseUrl) => createClient(service, createConnectTransport({baseUrl, useBinaryFormat: true, useHttpGet: true})),
  "Connect with JSON": (baseUrl) => createClient(service, createConnectTransport({baseUrl, useHttpGet: true})),
  "gRPC-Web": (baseUrl) => createClient(service, createGrpcWebTransport({baseUrl})),
};

// failure returns the error of call.
async function failure(call) {
  try {
    await call();
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("no error");
}

// checkDetails checks the code, the message and the details of an error.
function checkDetails(error) {
  check(error.code === Code.ResourceExhausted, `code ${error.code}: ${error.message}`);
  check(error.rawMessage === "enough", `message ${error.rawMessage}`);
  const details = error.findDetails(StringValueSchema);
  check(details.length === 1 && details[0].value === "come back tomorrow", `${details.length} details`);
}

const actions = {
  "unary": async (client) => {
    const {value} = await client.greet({value: "you"});
    check(value === "hello you", value);
  },
  "unary without side effects": async (client) => {
    const {value} = await client.read({value: "you"});
    check(value === "read you", value);
  },
  "stream": async (client) => {
    const values = [];
    for await (const {value} of client.count({})) {
      values.push(value);
    }
    check(values.join() === "one,two,three", values.join());
  },
  "error": async (client) => checkDetails(await failure(() => client.fail({}))),
  "error without details": async (client) => {
    const error = await failure(() => client.refuse({}));
    check(error.code === Code.PermissionDenied && error.rawMessage === "not you", `code ${error.code}: ${error.message}`);
  },
  "error within a stream": async (client) => {
    checkDetails(await failure(async () => {
      for await (const {value} of client.failLate({})) {
        check(value === "one", value);
      }
    }));
  },
  "deadline": async (client) => {
    const {value} = await client.deadline({}, {timeoutMs: 60_000});
    check(value === "in a minute", value);
  },
  "timeout": async (client) => {
    const error = await failure(() => client.wait({}, {timeoutMs: 100}));
    check(error.code === Code.DeadlineExceeded, `code ${error.code}: ${error.message}`);
  },
};

export const steps = Object.entries(clients).flatMap(([protocol, client]) =>
  Object.entries(actions).map(([action, act]) => [`${protocol}: ${action}`, (api) => act(client(api))]));

const twenty = ["unary", "stream", "error", "deadline", "unary without side effects"];

export const call = (api, i) =>
  actions[twenty[i % twenty.length]](clients[i < 10 ? "Connect" : "gRPC-Web"](api));
