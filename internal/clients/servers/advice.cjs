// A service of express and its package cors, with frequent mistakes.

const cors = require("cors");
const express = require("express");

const [port, page] = process.argv.slice(2);
const app = express();
for (const [name, options] of Object.entries({
  any: {},
  page: {origin: page},
  localhost: {origin: "http://localhost:3000"},
  slash: {origin: page + "/"},
  pattern: {origin: "https://*.example.com"},
  stars: {origin: true, credentials: true, methods: "*", allowedHeaders: "*"},
  spaces: {methods: "GET PUT"},
  lowercase: {methods: ["get", "put"]},
  patch: {methods: ["PATCH"]},
  headers: {allowedHeaders: "*"},
})) {
  app.use("/" + name, cors(options));
}

// The handler replaces the header of the package.
app.use("/replaced", cors({origin: page}), (req, res, next) => {
  res.header("Access-Control-Allow-Origin", "http://localhost:3000");
  next();
});

// Many tutorials have these lines instead of the package.
app.use("/tutorial", (req, res, next) => {
  res.header("Access-Control-Allow-Origin", "*");
  next();
});

app.get("/:policy", (req, res) => res.json({}));
app.listen(Number(port), "127.0.0.1");
