// node's own HTTP server, or express on it; a line with the status of each answer on its output.
//
//   node service.js PORT node|EXPRESS_FOLDER [CERTIFICATE KEY]
const fs = require('fs');
const http = require('http');
const https = require('https');

const [port, kind, certificate, key] = process.argv.slice(2);
const large = Buffer.alloc(300000, 'x');

function plain(request, response) {
  request.resume();
  const path = request.url;
  if (path === '/absent') {
    response.writeHead(404);
    response.end('absent\n');
  } else if (path === '/fail') {
    response.writeHead(500);
    response.end('failed\n');
  } else if (path === '/large') {
    response.end(large);
  } else if (path === '/slow') {
    setTimeout(() => response.end('slow\n'), 200);
  } else {
    response.end('ok\n');
  }
}

function express(folder) {
  const application = require(folder)();
  application.set('env', 'production');
  application.get('/large', (request, response) => response.send(large));
  application.get('/slow', (request, response) => setTimeout(() => response.send('slow\n'), 200));
  application.get('/fail', () => { throw new Error('failed'); });
  application.all('/ok', (request, response) => response.json({ok: true}));
  application.use((error, request, response, next) => {
    response.status(500).send('failed\n');
  });
  return application;
}

const serve = kind === 'node' ? plain : express(kind);
function listener(request, response) {
  response.on('close', () => console.log(`status ${response.statusCode}`));
  serve(request, response);
}
const server = certificate ?
    https.createServer({cert: fs.readFileSync(certificate), key: fs.readFileSync(key)}, listener) :
    http.createServer(listener);
server.listen(Number(port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
