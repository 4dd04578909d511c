// HTTP/2 on node's own server: http2_service.js PORT [KEY CERTIFICATE]
const fs = require('fs');
const http2 = require('http2');

const [port, key, certificate] = process.argv.slice(2);
const server = key
  ? http2.createSecureServer({ key: fs.readFileSync(key), cert: fs.readFileSync(certificate) })
  : http2.createServer();
server.on('request', (request, answer) => answer.end('ok\n'));
server.listen(+port, '127.0.0.1');
