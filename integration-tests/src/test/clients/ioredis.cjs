// An application with ioredis as it comes: node ioredis.cjs GROUP USER PASSWORD LIMIT_MILLIS SENTINEL...
// Each line of its input is a key that it sets; it answers each with a line: "ok", or why it isn't known to be set.
const Redis = require("ioredis");
const [group, username, password, limit, ...sentinels] = process.argv.slice(2);
const redis = new Redis({
  sentinels: sentinels.map((sentinel) => {
    const at = sentinel.lastIndexOf(":");
    return { host: sentinel.slice(0, at), port: Number(sentinel.slice(at + 1)) };
  }),
  name: group,
  username,
  password,
  commandTimeout: Number(limit),
});
let problem = "";
redis.on("error", (error) => (problem = String(error)));
require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (key) =>
    redis.set(key, "1").then(
      () => console.log("ok"),
      (error) => console.log(`${error} ${problem}`.replaceAll("\n", " ")),
    ),
  )
  .on("close", () => redis.disconnect());
