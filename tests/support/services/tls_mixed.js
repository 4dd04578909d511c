// tls_mixed.js PORT CLIENT CONNECTIONS REQUESTS: as tls_mixed.py, by node's own client.
const https = require('https');

const [port, client, connections, requests] = process.argv.slice(2).map(Number);
const hex = (number, digits) => number.toString(16).padStart(digits, '0');

function next(agent, connection, number) {
  if (number === requests) {
    agent.destroy();
    return;
  }
  const path = `/${number % 7 === 3 ? 'fail' : 'ok'}/${client}/${connection}/${number}`;
  const random = hex(Math.floor(Math.random() * 2 ** 48), 16).replace(/^00/, 'a5');
  const traceparent = `00-${hex(client, 4)}${hex(connection, 4)}${hex(number, 8)}${random}-` +
    `${hex(number + 1, 16)}-03`;
  https.get({host: '127.0.0.1', port, path, agent, headers: {traceparent}}, (reply) => {
    reply.resume();
    reply.on('end', () => setImmediate(next, agent, connection, number + 1));
  }).on('error', (error) => { throw error; });
}

for (let connection = 0; connection < connections; connection++) {
  next(new https.Agent({keepAlive: true, maxSockets: 1, rejectUnauthorized: false}),
    connection, 0);
}
