import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand,
  ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCommand,
} from "@aws-sdk/client-s3";
import {check} from "./run.js";

const newClient = (endpoint, more) => new S3Client({
  endpoint,
  region: "us-east-1",
  credentials: {accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token"},
  forcePathStyle: true, // the bucket is in the path, not in the host name
  maxAttempts: 1,
  ...more,
});

const Bucket = "bucket";
const text = "some text";

const put = (api, Key) => newClient(api).send(new PutObjectCommand({Bucket, Key, Body: text}));

async function get(api, Key) {
  const {Body} = await newClient(api).send(new GetObjectCommand({Bucket, Key}));
  return Body.transformToString();
}

async function checkObject(api, key, want) {
  const got = await get(api, key);
  check(got === want, got);
}

// checkFailure checks that call fails with an error that contains want.
async function checkFailure(call, want) {
  const error = await call().then(() => "no error", String);
  check(error.includes(want), error);
}

async function putFile(api) {
  const command = () => new PutObjectCommand({Bucket, Key: "file", Body: new File([text], "file.txt", {type: "text/plain"})});
  await checkFailure(() => newClient(api).send(command()), "readableStream.getReader is not a function");
  await newClient(api, {requestChecksumCalculation: "WHEN_REQUIRED"}).send(command());
  await checkObject(api, "file", text);
}

// detectCorruption gets an object that the server changed.
async function detectCorruption(api) {
  await put(api, "damaged");
  await checkFailure(() => get(api, "damaged"), "Checksum mismatch");
}

async function list(api) {
  const {Contents} = await newClient(api).send(new ListObjectsV2Command({Bucket}));
  check(Contents.some(({Key}) => Key === "object"), "no object");
}

async function multipart(api) {
  const client = newClient(api);
  const Key = "large";
  const {UploadId} = await client.send(new CreateMultipartUploadCommand({Bucket, Key}));
  const Parts = [];
  for (const Body of ["some ", "text"]) { // in S3, all parts except the last have at least 5 MiB
    const PartNumber = Parts.length + 1;
    const {ETag} = await client.send(new UploadPartCommand({Bucket, Key, UploadId, PartNumber, Body}));
    Parts.push({ETag, PartNumber});
  }
  await client.send(new CompleteMultipartUploadCommand({Bucket, Key, UploadId, MultipartUpload: {Parts}}));
  await checkObject(api, Key, text);
}

async function abort(api) {
  const Key = "aborted";
  const {UploadId} = await newClient(api).send(new CreateMultipartUploadCommand({Bucket, Key}));
  await newClient(api).send(new AbortMultipartUploadCommand({Bucket, Key, UploadId}));
}

const remove = (api, Key) => newClient(api).send(new DeleteObjectCommand({Bucket, Key}));

export const steps = [
  ["put", (api) => put(api, "object")],
  ["get", (api) => checkObject(api, "object", text)],
  ["list", list],
  ["detect a corrupted object", detectCorruption],
  ["put a file", putFile],
  ["multipart", multipart],
  ["abort a multipart upload", abort],
  ["delete", (api) => remove(api, "object")],
];

const twenty = [(api) => put(api, "object"), (api) => checkObject(api, "object", text), list, (api) => remove(api, "object")];

export const call = (api, i) => twenty[i % twenty.length](api);
