// A small service on node's own HTTP server.
//
//   node service.js PORT [UPSTREAM_URL]
//
// /ok; /slow?ms=N; /busy?ms=N keeps the event loop busy; /fail (500); /chunked?parts=N; /call asks the upstream by node's client; POST
// echoes how many bytes came.
const http = require('http');

const agent = new http.Agent({keepAlive: true});

http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (request.method === 'POST') {
    let length = 0;
    request.on('data', (part) => { length += part.length; });
    request.on('end', () => {
      response.writeHead(201);
      response.end(`${length}\n`);
    });
  } else if (url.pathname === '/slow') {
    setTimeout(() => response.end('slow\n'), Number(url.searchParams.get('ms') || 300));
  } else if (url.pathname === '/busy') {
    const used = (since) => { const {user, system} = process.cpuUsage(since); return user + system; };
    const before = process.cpuUsage();
    while (used(before) < 1000 * Number(url.searchParams.get('ms')));
    response.end('busy\n');
  } else if (url.pathname === '/fail') {
    response.writeHead(500);
    response.end('failed\n');
  } else if (url.pathname === '/chunked') {
    for (let part = 0; part < Number(url.searchParams.get('parts') || 5); part++) {
      response.write(`part ${part}\n`);
    }
    response.end();
  } else if (url.pathname === '/call') {
    const target = process.argv[3] + (url.searchParams.get('path') || '/ok');
    http.get(target, {agent}, (reply) => {
      response.writeHead(reply.statusCode);
      reply.pipe(response);
    }).on('error', (error) => {
      response.writeHead(502);
      response.end(`${error.message}\n`);
    });
  } else {
    response.end('ok\n');
  }
}).listen(Number(process.argv[2]), '127.0.0.1');
