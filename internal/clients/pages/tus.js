import {Upload} from "tus-js-client";
import {check} from "./run.js";

const content = "It was the best of times, it was the worst of times.";

const newUpload = (api, name, options, resolve, reject) => new Upload(new File([content], name, {lastModified: 0}), {
  endpoint: `${api}/files`,
  metadata: {filename: name},
  retryDelays: [],
  onSuccess: resolve,
  onError: reject,
  ...options,
});

// arrived checks the data of an upload on the server.
async function arrived({url}, want) {
  const response = await fetch(url.replace("/files/", "/content/"));
  const got = response.ok ? await response.text() : response.status;
  check(got === want, got);
}

async function send(api, name, options) {
  let upload;
  await new Promise((resolve, reject) => {
    upload = newUpload(api, name, options, resolve, reject);
    upload.start();
  });
  await arrived(upload, content);
}

// begin sends the first ten bytes and then stops.
async function begin(api, name) {
  let upload;
  await new Promise((resolve, reject) => {
    upload = newUpload(api, name, {chunkSize: 10, onChunkComplete: () => upload.abort().then(resolve, reject)}, reject, reject);
    upload.start();
  });
  await arrived(upload, content.slice(0, 10));
  return upload;
}

// checkHeader checks that an upload with these options has that header in a
// request, and does not send that request.
const checkHeader = (api, name, options) => new Promise((resolve, reject) => {
  newUpload(api, "other", {
    ...options,
    onBeforeRequest: (request) => {
      if (request.getHeader(name)) {
        resolve();
        throw new Error("not sent");
      }
    },
  }, () => reject(new Error(`no ${name}`)), reject).start();
});

export const steps = [
  ["upload", (api) => send(api, "whole")],
  ["upload in chunks", (api) => send(api, "chunks", {chunkSize: 10})],
  ["upload with the creation", (api) => send(api, "creation", {uploadDataDuringCreation: true})],
  ["resume after an interruption", (api) => send(api, "retry", {metadata: {interrupt: "yes"}, retryDelays: [0, 0]})],
  ["resume later", async (api) => {
    await begin(api, "later");
    let upload;
    await new Promise((resolve, reject) => {
      upload = newUpload(api, "later", {}, resolve, reject);
      upload.findPreviousUploads().then((previous) => {
        upload.resumeFromPreviousUpload(previous[0]);
        upload.start();
      }).catch(reject);
    });
    await arrived(upload, content);
  }],
  ["abort", async (api) => {
    const upload = await begin(api, "aborted");
    await upload.abort(true);
    await arrived(upload, 404);
  }],
  ["other options", async (api) => {
    await checkHeader(api, "Upload-Defer-Length", {uploadLengthDeferred: true});
    await checkHeader(api, "Upload-Concat", {parallelUploads: 2});
    await checkHeader(api, "X-Request-ID", {addRequestId: true});
    await checkHeader(api, "X-HTTP-Method-Override", {overridePatchMethod: true});
  }],
];

export const call = (api, i) => send(api, `${i}`, {uploadDataDuringCreation: i >= 10});
