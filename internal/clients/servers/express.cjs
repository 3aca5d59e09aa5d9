// A service of express and its package cors, as their documentation shows them.

const cors = require("cors");
const express = require("express");

const [port, page] = process.argv.slice(2);
const app = express();
app.use("/open", cors());
app.use("/list", cors({
  origin: page,
  methods: ["GET", "PUT"],
  allowedHeaders: ["Content-Type", "X-Id"],
  exposedHeaders: ["X-Total"],
  credentials: true,
  maxAge: 60,
}));
app.use("/reflect", cors({origin: true, credentials: true}));
app.use("/any", cors({methods: "*", allowedHeaders: "*", exposedHeaders: "*"}));
app.use("/passed-on", cors({preflightContinue: true}));
app.use("/status-200", cors({optionsSuccessStatus: 200}));

app.all("/:policy", (req, res) => {
  res.set("X-Total", "3");
  res.json([req.method, req.get("Origin"), req.get("Content-Type"), req.get("X-Id"), req.get("Authorization")]);
});
app.all("/:policy/redirect/:status", (req, res) => res.redirect(Number(req.params.status), req.query.to));
app.all("/:policy/error", () => { throw new Error("on purpose"); });
app.all("/:policy/reset", (req) => req.socket.destroy());
app.listen(Number(port), "127.0.0.1");
