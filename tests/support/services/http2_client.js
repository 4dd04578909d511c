// HTTP/2 over TLS on one connection, a request each so many milliseconds, each with a trace context
// of its own: http2_client.js PORT REQUESTS EVERY_MS. Says "first" once one is answered.
const http2 = require('http2');

const [port, requests, every] = process.argv.slice(2).map(Number);
const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
let made = 0;

function ask() {
  made += 1;
  const trace = `abcdef${String(made).padStart(26, '0')}`;
  const stream = session.request({ ':path': '/ok', traceparent: `00-${trace}-00f067aa0ba902b7-01` });
  stream.resume();
  stream.on('end', () => {
    if (made === 1) console.log('first');
    if (made === requests) return session.close();
    setTimeout(ask, every);
  });
  stream.end();
}
ask();
