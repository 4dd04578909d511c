// A small service on node's own HTTPS server: tls_service.js PORT CERTIFICATE KEY
const fs = require('fs');
const https = require('https');

const [port, cert, key] = process.argv.slice(2);
https.createServer({cert: fs.readFileSync(cert), key: fs.readFileSync(key)},
  (request, response) => {
    if (request.url.startsWith('/never')) return;
    if (request.url.startsWith('/fail')) response.statusCode = 500;
    if (request.url.startsWith('/big')) response.end(Buffer.alloc(1000000, 'x'));
    else response.end('ok\n');
  }).listen(Number(port), '127.0.0.1');
