// A service of fastify and @fastify/cors, as their documentation shows them.

const cors = require("@fastify/cors");
const fastify = require("fastify");

const [port, page] = process.argv.slice(2);
const app = fastify();
app.addContentTypeParser("*", {parseAs: "string"}, (request, body, done) => done(null, body));

const scope = (prefix, options) => app.register(async (scope) => {
  if (options) {
    await scope.register(cors, options);
  }
  scope.all("/", async (request, reply) => {
    reply.header("X-Total", "3");
    const {headers} = request;
    return [request.method, headers["origin"], headers["content-type"], headers["x-id"], headers["authorization"]];
  });
  scope.all("/redirect/:status", async (request, reply) => reply.redirect(Number(request.params.status), request.query.to));
  scope.all("/error", async () => { throw new Error("on purpose"); });
}, {prefix});

scope("/open", {origin: "*"});
scope("/list", {
  origin: [page, "https://app.example.com"],
  methods: ["GET", "PUT"],
  allowedHeaders: ["Content-Type", "X-Id"],
  exposedHeaders: ["X-Total"],
  credentials: true,
  maxAge: 60,
});
scope("/reflect", {origin: true, credentials: true});
scope("/any", {origin: "*", methods: "*", allowedHeaders: "*", exposedHeaders: "*"});
scope("/none");
app.listen({port: Number(port), host: "127.0.0.1"});
