// A small service on node's own HTTP server.
//
//   node service.js PORT [UPSTREAM_URL]
//
// /ok; /slow?ms=N; /busy?ms=N keeps the event loop busy, and tells how it fared; /fail (500); /chunked?parts=N; /call asks the
// upstream by node's client; POST echoes how many bytes came.
const fs = require('fs');
const http = require('http');

const agent = new http.Agent({keepAlive: true});

// Seconds: the monotonic clock, and how long the kernel says that this thread ran and waited for a CPU.
function sofar() {
  const [ran, waited] = fs.readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map((ns) => Number(ns) / 1e9);
  return {at: Number(process.hrtime.bigint()) / 1e9, ran, waited};
}

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
    const before = sofar();
    const used = (since) => { const {user, system} = process.cpuUsage(since); return user + system; };
    const usage = process.cpuUsage();
    while (used(usage) < 1000 * Number(url.searchParams.get('ms')));
    const after = sofar();
    response.end(JSON.stringify({
      ended: after.at, ran: after.ran - before.ran, waited: after.waited - before.waited,
    }));
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
