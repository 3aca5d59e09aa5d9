import {CreateMultipartUploadCommand, GetObjectCommand, PutObjectCommand, S3Client, UploadPartCommand} from "@aws-sdk/client-s3";
import {getSignedUrl} from "@aws-sdk/s3-request-presigner";
import {check} from "./run.js";

// sign returns a presigned URL, which a server with the keys would return.
const sign = (endpoint, command, requestChecksumCalculation = "WHEN_REQUIRED") => getSignedUrl(new S3Client({
  endpoint,
  region: "us-east-1",
  credentials: {accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token"},
  forcePathStyle: true, // the bucket is in the path, not in the host name
  requestChecksumCalculation,
}), command);

const Bucket = "bucket";
const text = "some text";

async function request(api, command, init) {
  const response = await fetch(await sign(api, command), init);
  check(response.ok, response.status);
  return response;
}

const put = (api, Key, body) => request(api, new PutObjectCommand({Bucket, Key}), {method: "PUT", body});

async function get(api, Key) {
  const response = await request(api, new GetObjectCommand({Bucket, Key}));
  const got = await response.text();
  check(got === text, got);
}

async function putPart(api) {
  const Key = "large";
  const created = await request(api, new CreateMultipartUploadCommand({Bucket, Key}), {method: "POST"});
  const [, UploadId] = /<UploadId>(.*)<\/UploadId>/.exec(await created.text());
  const {headers} = await request(api, new UploadPartCommand({Bucket, Key, UploadId, PartNumber: 1}), {method: "PUT", body: text});
  check(headers.get("ETag"), "no ETag");
}

// checkChecksum checks which checksum of the body the URL contains.
async function checkChecksum(api) {
  const command = () => new PutObjectCommand({Bucket, Key: "object"});
  const checksum = async (calculation) => new URL(await sign(api, command(), calculation)).searchParams.get("x-amz-checksum-crc32");
  const [required, supported] = [await checksum("WHEN_REQUIRED"), await checksum("WHEN_SUPPORTED")];
  check(required === null && supported === "AAAAAA==", `${required}, ${supported}`); // of an empty body
}

export const steps = [
  ["sign", checkChecksum],
  ["put", (api) => put(api, "object", text)],
  ["put a file", (api) => put(api, "image", new File([text], "image.png", {type: "image/png"}))],
  ["get", (api) => get(api, "object")],
  ["put a part", putPart],
];

export const call = (api, i) => i % 2 === 0 ? put(api, `object ${i}`, text) : get(api, `object ${i - 1}`);
