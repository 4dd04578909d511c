// HTTP/2 on one connection, each request with a trace context of its own:
// http2_client.js URL FIRST THEN. Makes the first ones, says "first", and once its input has a line
// the others, ten at a time.
const http2 = require('http2');

const [url, first, then] = process.argv.slice(2);
const session = http2.connect(url, { rejectUnauthorized: false });
let made = 0;

function ask() {
  made += 1;
  const trace = `abcdef${String(made).padStart(26, '0')}`;
  const stream = session.request({ ':path': '/ok', traceparent: `00-${trace}-00f067aa0ba902b7-01` });
  stream.resume();
  stream.end();
  return new Promise((done) => stream.on('close', done));
}

async function worker(until) {
  while (made < until) await ask();
}

async function main() {
  await worker(+first);
  console.log('first');
  await new Promise((line) => process.stdin.once('data', line));
  await Promise.all(Array.from({ length: 10 }, () => worker(+first + +then)));
  session.close();
  process.stdin.destroy();
}
main();
