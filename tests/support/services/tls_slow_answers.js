// tls_slow_answers.js PORT CERTIFICATE KEY: as tls_slow_answers.py; /piped sends its body in pieces.
const fs = require('fs');
const https = require('https');
const stream = require('stream');

const [port, cert, key] = process.argv.slice(2);
const body = Buffer.alloc(60000000, 'x');

function* pieces() {
  for (let at = 0; at < body.length; at += 100000) yield body.subarray(at, at + 100000);
}

https.createServer({cert: fs.readFileSync(cert), key: fs.readFileSync(key)},
  (request, response) => {
    const began = process.hrtime.bigint();
    response.on('finish', () => {
      fs.writeSync(1, `${Number(process.hrtime.bigint() - began) / 1e9}\n`);
    });
    response.setHeader('Content-Length', body.length);
    if (request.url.startsWith('/piped')) stream.Readable.from(pieces()).pipe(response);
    else response.end(body);
  }).listen(Number(port), '127.0.0.1');
